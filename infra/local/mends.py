"""What the emulator does otherwise than AWS, set right after a deployment.

The template is right for AWS as it is; nothing here adds to it. The mends keep their effect over restarts, and a stack
update undoes them, so they are applied each time.
"""

from __future__ import annotations

import contextlib
from typing import Any

import yaml

import aws
from settings import TEMPLATE, Settings


def apply(settings: Settings, api_id: str) -> None:
    _vouch_for_the_sender(settings)
    _lead_links_here(settings, api_id)
    gateway = aws.client(settings, "apigatewayv2")
    # It keeps the template's capital keys (AllowOrigins) and then looks for small ones: every preflight fails.
    gateway.update_api(ApiId=api_id, CorsConfiguration=_cors_of_the_template())
    _serve_trailing_slash(gateway, api_id)


def _vouch_for_the_sender(settings: Settings) -> None:
    """On AWS an operator proves once that the address is theirs."""
    mail = aws.client(settings, "sesv2")
    with contextlib.suppress(mail.exceptions.AlreadyExistsException):
        mail.create_email_identity(EmailIdentity=settings.parameters["SenderAddress"])


def _lead_links_here(settings: Settings, api_id: str) -> None:
    """The name that the emulator gives an API's address under leads nowhere; the links in mails are to work."""
    if settings.parameters.get("PublicUrl"):
        return
    functions = aws.client(settings, "lambda")
    resource = aws.client(settings, "cloudformation").describe_stack_resource(
        StackName=settings.stack_name, LogicalResourceId="MessengerFunction"
    )
    name = resource["StackResourceDetail"]["PhysicalResourceId"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    wanted = {**variables, "PUBLIC_URL": f"{settings.endpoint}/_aws/execute-api/{api_id}"}
    if wanted != variables:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": wanted})


def _serve_trailing_slash(gateway: Any, api_id: str) -> None:
    # AWS reads /api/public/ as /api/public and refuses a route for it. Here it would fall to the authenticated API.
    routes = {route["RouteKey"]: route for route in gateway.get_routes(ApiId=api_id)["Items"]}
    root = routes["ANY /api/public"]
    slashed = routes.get("ANY /api/public/")
    if slashed is None:
        gateway.create_route(ApiId=api_id, RouteKey="ANY /api/public/", AuthorizationType="NONE", Target=root["Target"])
    elif slashed["Target"] != root["Target"]:
        gateway.update_route(ApiId=api_id, RouteId=slashed["RouteId"], Target=root["Target"])


def _cors_of_the_template() -> dict[str, Any]:
    template = yaml.load(TEMPLATE.read_text(), Loader=_TemplateLoader)  # noqa: S506 - derived from the safe one
    return template["Resources"]["HttpApi"]["Properties"]["CorsConfiguration"]


class _TemplateLoader(yaml.SafeLoader):
    """Reads a template without resolving its functions."""


def _unresolved(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)
    return node.value


_TemplateLoader.add_multi_constructor("!", _unresolved)
