// Express with its cors package, the expression from the package's own documentation: whatever ends in example.com.
"use strict";

const cors = require("cors");
const express = require("express");

const app = express();
app.use(cors({ origin: /example\.com$/, credentials: true }));
app.get("/books", (request, response) => response.json(["Fetch"]));
const server = app.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
