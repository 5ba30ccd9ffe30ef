"""Read by Schemathesis: files of rows go out as the text that they are."""

from __future__ import annotations

import schemathesis

# It knows by itself that other kinds of `text/` are text.
schemathesis.serializer.alias(["application/x-ndjson", "application/jsonl"], "text/plain")
