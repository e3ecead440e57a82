// Express with its cors package, every option as in its documentation.
"use strict";

const cors = require("cors");
const express = require("express");

const app = express();
app.use(
  cors({
    origin: ["https://app.example.com", "https://www.example.org"],
    methods: ["GET", "PUT"],
    allowedHeaders: ["Content-Type", "Authorization"],
    exposedHeaders: ["ETag"],
    credentials: true,
    maxAge: 600,
  }),
);
app.get("/books", (request, response) => response.json(["Fetch"]));
const server = app.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
