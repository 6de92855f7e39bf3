"""The local web app: uploads and controls in, pictures out; `scripts/app.py` starts it."""
