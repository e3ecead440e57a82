"""Flask with Flask-CORS, every option as in its documentation. Run by `flask run`."""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from flask_cors import CORS

app = Flask(__name__)
CORS(
    app,
    origins=["https://app.example.com", "https://www.example.org"],
    methods=["GET", "PUT"],
    allow_headers=["Content-Type", "Authorization"],
    expose_headers=["ETag"],
    supports_credentials=True,
    max_age=600,
)


@app.get("/books")
def books() -> ResponseReturnValue:
    """Answer a list."""
    response = jsonify(["Fetch"])
    response.set_etag("1")
    return response
