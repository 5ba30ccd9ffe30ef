"""What has left the stack: mails and SMS, as the emulator's inboxes have them."""

from __future__ import annotations

import requests
from api import TIMEOUT_SECONDS


class Inbox:
    def __init__(self, stack):
        self._mail = stack["MAIL_INBOX_URL"]
        self._sms = stack["SMS_INBOX_URL"]

    def mails(self, address):
        """To one address, oldest first."""
        accounts = self._get(self._mail)["messages"].values()
        return [mail for mails in accounts for mail in mails if mail["To"] == [address]]

    def texts(self, number):
        return [sms["Message"] for sms in self._get(self._sms)["sms_messages"].get(number, [])]

    @staticmethod
    def _get(url):
        answer = requests.get(url, timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 200, answer.text
        return answer.json()
