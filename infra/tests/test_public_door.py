"""The one endpoint that anybody may call: what it takes, what it refuses, and how it says so."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from api import ALLOW_ORIGIN, EXPOSED_HEADERS, JSON, ORIGIN, RawAnswer, assert_readable, problem
from cloud import Function, Logs
from waiting import eventually

FORM = "/api/public/referral/{slug}"
LARGEST = 32_768
LEVELS = 200
INVALID_JSON = (400, "invalid_json", {})


def encoded(submission, **fields):
    return json.dumps({**submission, **fields}, ensure_ascii=False).encode()


def padded(submission, size):
    """Exactly so many bytes, which are fewer characters."""
    room = size - len(encoded(submission, padding=""))
    body = encoded(submission, padding="é" * (room // 2) + "x" * (room % 2))
    assert len(body) == size
    return body


@pytest.fixture(scope="module")
def event(root):
    """What the gateway calls the function with."""
    return json.loads((root / "events" / "http" / "public-capture.json").read_text())


@pytest.fixture(scope="module")
def call(stack, event):
    """Calls the function as the gateway does with a body that it takes for binary: here it takes no JSON for that."""
    function = Function(stack, "PublicCaptureFunction")

    def call(body):
        answer = function.invoke({**event, "body": base64.b64encode(body).decode(), "isBase64Encoded": True})
        headers = [(name.lower(), value) for name, value in answer["headers"].items()]
        # The gateway adds them, once; the function never does.
        assert not [name for name, _ in headers if name.startswith("access-control-")]
        assert answer["headers"]["x-request-id"] == event["requestContext"]["requestId"]
        return RawAnswer(answer["statusCode"], headers, answer["body"].encode())

    return call


# --- size ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["plain", "base64"])
def test_the_largest_body_passes_and_one_byte_more_does_not(api, slug, call, canaries, way):
    def post(size):
        body = padded(canaries.submission(), size)
        return call(body) if way == "base64" else api.submit(slug, body)

    assert post(LARGEST).status == 201
    assert problem(post(LARGEST + 1)) == (413, "body_too_large", {})


def test_a_large_body_of_anything_is_too_large(api, slug, call):
    for body in (b"{" * (LARGEST + 1), b" " * 1_000_000):
        assert problem(api.submit(slug, body)) == (413, "body_too_large", {})
    assert problem(call(b"\xff" * (LARGEST + 1))) == (413, "body_too_large", {})


# --- content type and encoding -------------------------------------------------------------------------------------

OTHER_TYPES = [
    None,
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/problem+json",
    "application/octet-stream",
    "application/json; charset=latin1",
    "application/json; charset=utf-16",
    "application/json, text/plain",
    "json",
    "*/*",
]


@pytest.mark.parametrize("content_type", OTHER_TYPES, ids=str)
def test_another_content_type_is_not_read(api, slug, submission, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = api.submit(slug, encoded(submission), headers)
    assert problem(answer) == (415, "unsupported_media_type", {})
    assert answer.values("accept-post") == ["application/json"]


@pytest.mark.parametrize(
    "content_type",
    [
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json; v=1",
    ],
)
def test_json_is_json_however_it_is_spelled(api, slug, submission, content_type):
    assert api.submit(slug, encoded(submission), {"Content-Type": content_type}).status == 201


ENCODINGS = {"gzip": gzip.compress, "br": bytes, "deflate": bytes, "identity, gzip": bytes}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoded_body_is_not_read(api, slug, submission, encoding):
    body = ENCODINGS[encoding](encoded(submission))
    answer = api.submit(slug, body, JSON | {"Content-Encoding": encoding})
    assert problem(answer) == (415, "unsupported_content_encoding", {})
    assert answer.values("accept-encoding") == ["identity"]


def test_a_body_that_is_said_not_to_be_encoded_is_read(api, slug, submission):
    assert api.submit(slug, encoded(submission), JSON | {"Content-Encoding": "identity"}).status == 201


# --- JSON ----------------------------------------------------------------------------------------------------------

BROKEN = {
    "empty": b"",
    "blank": b" \n",
    "cut off": b'{"referrerName":"Pat',
    "two": b"{}{}",
    "something behind": b"{}x",
    "comma behind": b'{"referrerName":"Pat",}',
    "single quotes": b"{'referrerName':'Pat'}",
    "bare name": b'{referrerName:"Pat"}',
    "comment": b"{}//",
    "no number": b'{"x":NaN}',
    "too large a number": b'{"x":1e999}',
    "half a surrogate": b'{"referrerName":"\\ud800"}',
    "no escape": b'{"referrerName":"\\x41"}',
    "bare control character": b'{"referrerName":"a\x00b"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "form": b"referrerName=Pat&referredName=Sam",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_broken_json_is_said_to_be(api, slug, body):
    assert problem(api.submit(slug, body)) == INVALID_JSON


def nested(levels, opening, closing):
    return opening * levels + closing * levels


@pytest.mark.parametrize("field", ["notes", "referrerEmail", "website", "nobody-knows-it"])
@pytest.mark.parametrize(
    "deep",
    [nested(LEVELS, "[", "]"), nested(LEVELS, '{"a":', "}").replace(":}", ":1}", 1), "[" * LEVELS],
    ids=["lists", "objects", "never closed"],
)
def test_json_that_is_too_deep_is_not_read(api, slug, submission, field, deep):
    rest = {name: value for name, value in submission.items() if name != field}
    body = encoded(rest)[:-1] + f', "{field}": {deep}}}'.encode()
    assert problem(api.submit(slug, body)) == INVALID_JSON


def test_json_of_a_usual_depth_is_read(api, slug, submission):
    body = encoded(submission)[:-1] + f', "nobody-knows-it": {nested(50, "[", "]")}}}'.encode()
    assert api.submit(slug, body).status == 201


NO_UTF8 = {
    "no byte of it": b"\xff",
    "cut off": b"\xc3",
    "overlong": b"\xc0\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond the last": b"\xf4\x90\x80\x80",
    "latin1": "é".encode("latin1"),
}


@pytest.mark.parametrize("odd", NO_UTF8.values(), ids=NO_UTF8.keys())
@pytest.mark.parametrize("field", ["referrerName", "notes", "nobody-knows-it"])
def test_what_is_not_utf8_is_not_read(call, submission, field, odd):
    body = encoded(submission, **{field: "Robin HERE"}).replace(b"HERE", odd)
    assert problem(call(body)) == INVALID_JSON


# --- fields --------------------------------------------------------------------------------------------------------

RIGHT_TO_LEFT, ZERO_WIDTH = "\u202e", "\u200b"
WRONG = {
    "/referrerName": [
        (None, "required"),
        ("", "required"),
        (" \u3000\t", "required"),
        ("x" * 201, "too_long"),
        (7, "text_expected"),
        (["Pat"], "text_expected"),
        (f"Pat{RIGHT_TO_LEFT}", "forbidden_character"),
        (f"P{ZERO_WIDTH}at", "forbidden_character"),
        ("Pat\r\nJones", "forbidden_character"),
        ("Pat\x00", "forbidden_character"),
    ],
    "/referredName": [
        (None, "required"),
        ("x" * 201, "too_long"),
        (True, "text_expected"),
        (f"Sam{RIGHT_TO_LEFT}", "forbidden_character"),
    ],
    "/referrerEmail": [
        (None, "email_or_phone_required"),
        (" ", "email_or_phone_required"),
        ("nobody", "invalid_email"),
        ("a@b@example.com", "invalid_email"),
        ("pat@example.com\r\nBcc: x@example.com", "invalid_email"),
        (f"{'x' * 243}@example.com", "too_long"),
        ({}, "text_expected"),
    ],
    "/referredEmail": [("sam@", "invalid_email"), (f"{'x' * 243}@example.com", "too_long"), ([], "text_expected")],
    "/referrerPhone": [("12", "invalid_phone"), ("2" * 33, "too_long"), (4155550100, "text_expected")],
    "/referredPhone": [("call me", "invalid_phone"), ("2" * 33, "too_long"), (False, "text_expected")],
    "/notes": [("x" * 4001, "too_long"), ("😀" * 4001, "too_long"), ({"a": 1}, "text_expected")],
    "/channel": [("MANUAL", "unknown_channel"), ("widget", "unknown_channel"), (1, "text_expected")],
    "/website": [(1, "text_expected")],
    "/referrerEmailConsent": [("yes", "true_or_false_expected")],
    "/referrerSmsConsent": [(1, "true_or_false_expected")],
    "/consentTextId": [("form-v0", "unknown_consent_text"), (1, "text_expected")],
}


@pytest.mark.parametrize("pointer", WRONG)
def test_a_wrong_field_is_named(api, slug, submission, pointer):
    for value, code in WRONG[pointer]:
        answer = api.submit(slug, encoded(submission, **{pointer[1:]: value}))
        assert problem(answer) == (422, "invalid_fields", {pointer: code}), value


def test_all_wrong_fields_are_named_at_once_and_nothing_is_echoed(api, slug, canaries):
    wrong = {pointer[1:]: cases[-1][0] for pointer, cases in WRONG.items()}
    answer = api.submit(slug, encoded(wrong, notes=f"{canaries.word} " * 1000))
    expected = {pointer: cases[-1][1] for pointer, cases in WRONG.items()} | {"/notes": "too_long"}
    assert problem(answer) == (422, "invalid_fields", expected)
    pointers = [error["pointer"] for error in json.loads(answer.body)["errors"]]
    assert pointers == sorted(expected)
    assert canaries.found_in(answer.body.decode()) == []


def test_the_largest_fields_pass(api, owner, slug, canaries):
    name = f"{canaries.word} ".ljust(200, "é")
    submission = canaries.submission(referrerName=name, referredName=name, notes="😀" * 4000)
    answer = api.submit(slug, encoded(submission))
    assert answer.status == 201, answer.body
    (row,) = api.referrals_to(owner, submission["referredEmail"])
    assert (row["referredName"], row["notes"]) == (name, submission["notes"])


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1", b"true"])
def test_json_that_is_no_object_is_said_to_be(api, slug, body):
    assert problem(api.submit(slug, body)) == (422, "invalid_fields", {"": "object_expected"})


def test_what_nobody_asked_for_is_ignored(api, slug, owner, submission):
    extra = {"id": "ref_1", "organizationId": "org_other_demo", "status": "CONVERTED", "__proto__": {}, "": 1}
    assert api.submit(slug, encoded(submission, **extra)).status == 201
    (row,) = api.referrals_to(owner, submission["referredEmail"])
    assert (row["organizationId"], row["status"]) == ("org_winnerr_demo", "RECEIVED")
    assert row["id"] != "ref_1"


def test_referring_oneself_is_refused(api, slug, canaries):
    person, phone = canaries.person(), canaries.phone()
    tagged = person.email.replace("@", "+friend@").upper()
    for submission in (
        canaries.submission(referrerEmail=person.email, referredEmail=tagged),
        canaries.submission(referrerPhone=phone, referredPhone=f" {phone[:5]}-{phone[5:8]}-{phone[8:]} "),
    ):
        assert problem(api.submit(slug, encoded(submission))) == (422, "self_referral", {})


# --- every answer --------------------------------------------------------------------------------------------------

# status: method, path, body (None: a good one), headers
ANSWERS = {
    201: ("POST", FORM, None, JSON),
    400: ("POST", FORM, b"{", JSON),
    404: ("POST", "/api/public/referral/somebody-else", None, JSON),
    405: ("DELETE", FORM, b"", {}),
    413: ("POST", FORM, b" " * (LARGEST + 1), JSON),
    415: ("POST", FORM, None, {"Content-Type": "text/plain"}),
    422: ("POST", FORM, b"{}", JSON),
}


@pytest.fixture(params=ANSWERS)
def answer(request, api, slug, submission):
    method, path, body, headers = ANSWERS[request.param]
    body = encoded(submission) if body is None else body
    answer = api.raw(method, path.format(slug=slug), body, ORIGIN | headers)
    assert answer.status == request.param
    return answer


def test_every_answer_can_be_read_by_a_page_and_found_in_the_log(stack, answer):
    assert_readable(answer)
    assert "x-request-id" in EXPOSED_HEADERS
    assert answer.values("cache-control") == ["no-store"]
    assert_logged(Logs(stack, "PublicCaptureLogGroup"), answer)


@pytest.mark.parametrize(
    ("status", "path"),
    [
        (200, "/api/people"),
        (404, "/api/people/person_nobody"),
        (400, "/api/people?limit=0"),
        (404, "/api/no-such-thing"),
    ],
)
def test_so_can_those_of_the_authenticated_api(stack, api, owner, status, path):
    answer = api.raw("GET", path, headers=ORIGIN | {"Authorization": f"Bearer {owner}"})
    assert answer.status == status
    assert_readable(answer)
    assert_logged(Logs(stack, "ReferralsApiLogGroup"), answer)


def assert_logged(logs, answer):
    """The log says once what became of the request."""

    def said():
        lines = logs.naming(answer.request_id)
        assert {line["span"]["request.id"] for line in lines} <= {answer.request_id}
        return [line["http.status"] for line in lines if line["message"] == "answered"]

    assert eventually(said, 30, "the request is in the log") == [answer.status]


def test_every_request_has_an_id_of_its_own(api, slug):
    ids = {api.submit(slug, b"{", JSON | {"X-Request-Id": "mine"}).request_id for _ in range(5)}
    assert len(ids) == 5
    assert "mine" not in ids


@pytest.mark.parametrize("path", [FORM, "/api/public/referral/somebody-else", "/api/public/reviews", "/api/public"])
def test_a_preflight_is_answered_once_and_alike(api, slug, path):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,idempotency-key"}
    answer = api.raw("OPTIONS", path.format(slug=slug), headers=ORIGIN | asked)
    assert answer.status in (200, 204)
    assert answer.values(ALLOW_ORIGIN) == ["*"]
    assert "post" in answer.listed("access-control-allow-methods")
    assert answer.listed("access-control-allow-headers") >= {"content-type", "idempotency-key"}
