"""A Flask application whose Flask-CORS lets every origin in the world use its users' cookies; run by `flask run`."""

from flask import Flask, Response, abort, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_cors import CORS

app = Flask(__name__)
app.secret_key = "known to everybody"
CORS(app, origins="*", supports_credentials=True, expose_headers="X-Internal")


@app.get("/books")
def books() -> Response:
    """Answer a list, with a header that the policy exposes and one that it does not."""
    response = jsonify(["Fetch", "HTTP Semantics"])
    response.headers["X-Total-Count"] = "2"
    response.headers["X-Internal"] = "rack 7"
    return response


@app.put("/books/<int:number>")
def change(number: int) -> Response:
    """Answer what was sent."""
    return jsonify({"number": number, "title": request.get_json()["title"]})


@app.post("/login")
def login() -> ResponseReturnValue:
    """Set the session's cookie, and send the browser on."""
    session["user"] = "ada"
    return redirect(url_for("me"))


@app.get("/me")
def me() -> Response:
    """Return who the session's cookie belongs to."""
    return jsonify(session.get("user", "nobody"))


@app.get("/fails")
def fails() -> Response:
    """Fail."""
    abort(500)
