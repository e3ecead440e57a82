"""Flask-CORS as in many tutorials: everything for everyone, with cookies. Run by `flask run`."""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from flask_cors import CORS

app = Flask(__name__)
CORS(app, supports_credentials=True)


@app.get("/books")
def books() -> ResponseReturnValue:
    """Answer a list."""
    return jsonify(["Fetch"])
