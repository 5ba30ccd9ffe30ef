"""What a change set would do to the stack: shown, and judged before it may be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from failure import Failure

# What holds what nobody can make again: people and referrals, logins, keys that links were sealed with.
PRECIOUS = ("AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::SecretsManager::Secret")
ADD, MODIFY, REMOVE = "Add", "Modify", "Remove"
# What CloudFormation says of a replacement. The last: it knows only when it does it.
NEVER, CERTAIN, PERHAPS = "False", "True", "Conditional"


@dataclass(frozen=True)
class Change:
    resource: str
    kind: str
    action: str
    replacement: str = NEVER
    # The properties that change.
    properties: tuple[str, ...] = ()

    @property
    def fate(self) -> str:
        """In a word or two, for whoever has to confirm it."""
        if self.action == MODIFY and self.replacement != NEVER:
            return "REPLACE" if self.replacement == CERTAIN else "REPLACE?"
        return {ADD: "add", MODIFY: "modify", REMOVE: "REMOVE"}.get(self.action, self.action)

    @property
    def is_loss(self) -> bool:
        """Whether something precious would be gone from the stack, or may be."""
        return self.kind in PRECIOUS and self.fate.startswith(("REPLACE", "REMOVE"))


def read(described: Iterable[dict[str, Any]]) -> list[Change]:
    """From the entries of DescribeChangeSet."""
    found = []
    for entry in described:
        change = entry["ResourceChange"]
        targets = [detail.get("Target", {}) for detail in change.get("Details", [])]
        named = dict.fromkeys(target.get("Name") or target.get("Attribute", "") for target in targets)
        found.append(
            Change(
                resource=change["LogicalResourceId"],
                kind=change["ResourceType"],
                action=change["Action"],
                replacement=change.get("Replacement", NEVER),
                properties=tuple(name for name in named if name),
            )
        )
    # What may hurt stands last, where it is read.
    return sorted(found, key=lambda change: (change.is_loss, change.fate.isupper(), change.fate, change.resource))


def refuse_losses(changes: Iterable[Change], allowed: Iterable[str]) -> None:
    """Unless each was named, by its own name. A name too many is a mistake as well: it was meant for something."""
    losses = {change.resource: change for change in changes if change.is_loss}
    allowed = set(allowed)
    idle = allowed - losses.keys()
    if idle:
        raise Failure(f"REPLACE names {', '.join(sorted(idle))}, which this change would neither replace nor remove")
    unnamed = sorted(losses.keys() - allowed)
    if unnamed:
        told = ", ".join(f"{name} ({losses[name].fate})" for name in unnamed)
        raise Failure(
            f"refused, because it would take from the stack what holds data: {told}. If that is what you want, and you "
            f"know where the data will be: REPLACE={','.join(sorted(losses))}"
        )


def table(changes: list[Change]) -> str:
    rows = [(change.fate, change.resource, change.kind, ", ".join(change.properties)) for change in changes]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(
        "  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    )
