"""MiniStack as a program, with what it lacks of SES and SNS. Started in place of `python -m ministack`.

- It cannot be asked whether a number has opted out of SMS. Here a number has when it stands in the file that
  OPTED_OUT_NUMBERS names, one to a line.
- It takes sending a mail for an action on everything; AWS takes it for one on the sender's identity. With roles
  enforced, only a policy that is wider than AWS asks for would do.
- It keeps no record of what roles are used for. Here each call that a role allowed stands once in the file that
  ALLOWED_CALLS names, as a JSON array of role, action and resource.
- Its routes match no path with a line break in it, and its gateway answers such a one by itself.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.services import apigateway, sns

OPTED_OUT = "CheckIfPhoneNumberIsOptedOut"
SEND_EMAIL = "/v2/email/outbound-emails"
# For private use: nobody sends it.
LINE_BREAK = "\ue000"

_allowed: set[tuple[str, str, str]] = set()
_handle_request = sns.handle_request
_extract_path_params = apigateway._extract_path_params  # noqa: SLF001 - there is no other way in
_evaluate = iam_evaluator.evaluate
_ses_v2_resource_arn = iam_actions._ses_v2_resource_arn  # noqa: SLF001 - as above


async def handle_request(method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Any:
    form = parse_qs(body.decode("utf-8", errors="replace")) if method == "POST" and body else {}
    if form.get("Action") != [OPTED_OUT]:
        return await _handle_request(method, path, headers, body, query_params)
    numbers = Path(os.environ["OPTED_OUT_NUMBERS"])
    opted_out = numbers.read_text().split() if numbers.exists() else []
    # The service's own model spells this one parameter in lower case.
    (number,) = form.get("phoneNumber", [""])
    answer = "true" if number in opted_out else "false"
    return sns._xml(  # noqa: SLF001 - it knows the form of an answer
        200, f"{OPTED_OUT}Response", f"<{OPTED_OUT}Result><isOptedOut>{answer}</isOptedOut></{OPTED_OUT}Result>"
    )


def ses_v2_resource_arn(method: str, path: str, body: bytes, region: str, account_id: str) -> str:
    if path.rstrip("/") != SEND_EMAIL:
        return _ses_v2_resource_arn(method, path, body, region, account_id)
    sender = json.loads(body).get("FromEmailAddress", "")
    return f"arn:aws:ses:{region}:{account_id}:identity/{sender}"


def evaluate(ctx: iam_evaluator.EvalContext, *policies: Any) -> iam_evaluator.EvalResult:
    result = _evaluate(ctx, *policies)
    # arn:aws:sts::account:assumed-role/role/session
    _, is_role, role = ctx.principal_arn.partition(":assumed-role/")
    call = (role.split("/")[0], ctx.action, ctx.resource_arn)
    if is_role and result.decision == "Allow" and call not in _allowed:
        _allowed.add(call)
        with Path(os.environ["ALLOWED_CALLS"]).open("a") as calls:
            calls.write(json.dumps(call) + "\n")
    return result


def extract_path_params(route_path: str, request_path: str) -> dict[str, str] | None:
    found = _extract_path_params(route_path, request_path.replace("\n", LINE_BREAK))
    return found and {name: value.replace(LINE_BREAK, "\n") for name, value in found.items()}


iam_evaluator.evaluate = evaluate
apigateway._extract_path_params = extract_path_params  # noqa: SLF001 - as above
sns.handle_request = handle_request
iam_actions._ses_v2_resource_arn = ses_v2_resource_arn  # noqa: SLF001 - as above

if __name__ == "__main__":
    from ministack.app import main

    main()
