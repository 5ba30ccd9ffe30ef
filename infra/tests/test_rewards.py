"""The reward loop on the deployed template: won, told, sent, thanked, each once and only with consent."""

from __future__ import annotations

import re

import pytest
import requests
from api import TIMEOUT_SECONDS
from inbox import Inbox
from office import ANN, Office
from rewards import ACKNOWLEDGED, PROMISED_SECONDS, REFERRALS, Rewards
from together import at_once
from waiting import eventually

FORM = "form-v1"


@pytest.fixture
def inbox(stack):
    return Inbox(stack)


@pytest.fixture(scope="module")
def office(stack, issuer, canaries, tmp_path_factory):
    return Office(stack, issuer, canaries, tmp_path_factory.mktemp("office"), notify=True)


@pytest.fixture
def rewards(stack, api, pipeline, office):
    return Rewards(stack, api, pipeline, office)


@pytest.fixture
def form(canaries):
    """A form with an address and a number, and the consents that are asked for."""

    def make(*, email=False, sms=False):
        consents = {"referrerEmailConsent": email, "referrerSmsConsent": sms, "consentTextId": FORM}
        return canaries.submission(referrerPhone=canaries.phone(), **(consents if email or sms else {}))

    return make


def mail_about(inbox, address, words):
    return eventually(
        lambda: [mail for mail in inbox.mails(address) if words in mail["Subject"]],
        PROMISED_SECONDS,
        f"a mail: {words}",
    )


def test_a_deal_is_won_the_agent_told_the_reward_sent_and_the_referrer_thanked_once(rewards, inbox, form):
    rewards.policy()
    submission = form(email=True)
    agent = rewards.office.members[ANN]
    referral = rewards.referral(submission)
    (mail,) = mail_about(inbox, agent.email, f"New referral: {submission['referredName']}")
    assert submission["referrerName"] in mail["BodyText"]
    assert f"{REFERRALS}/{referral['id']}" in mail["BodyText"]

    answer = rewards.api.request("POST", f"{REFERRALS}/{referral['id']}/qualify", rewards.office.tokens[ANN])
    assert answer.status_code == 200, answer.text
    found = rewards.won(referral)
    assert found["status"] == "CONVERTED"
    assert (found["reward"]["amountMinor"], found["rewardCurrency"]) == (5000, "USD")
    (mail,) = mail_about(inbox, agent.email, f"A reward is due to {submission['referrerName']}")
    assert "gift card, 50.00 USD" in mail["BodyText"]
    queue = rewards.api.get("/api/reputation/rewards?lane=pending", rewards.office.tokens[ANN])
    assert referral["id"] in [row["id"] for row in queue["rewards"]]

    refused = rewards.act(referral, "mark-sent")
    assert (refused.status_code, refused.json()["code"]) == (422, "compliance_acknowledgement_required")
    assert "RESPA" in refused.json()["detail"]
    sent = rewards.mark_sent(referral)
    assert sent["rewardStatus"] == "SENT"
    rewards.wait_for(referral, rewardStatus="THANKED", rewardSentAt=sent["rewardSentAt"])
    again = rewards.mark_sent(referral)
    assert (again["rewardStatus"], again["rewardSentAt"]) == ("THANKED", sent["rewardSentAt"])
    rewards.pipeline.wait_until_quiet()
    (thanks,) = inbox.mails(submission["referrerEmail"])
    assert thanks["Subject"] == f"Thank you for referring {submission['referredName']}"
    assert "An Agent" in thanks["BodyText"] and "Tests" in thanks["BodyText"]
    assert inbox.texts(submission["referrerPhone"]) == [], "the policy is to thank by mail"
    assert rewards.thanks(referral) == [("EMAIL", "SUBMITTED", None)]


def test_without_consent_nothing_leaves_and_the_history_says_why(rewards, inbox, form):
    rewards.policy(thankYouChannel="BOTH")
    submission = form()
    referral = rewards.referral(submission)
    rewards.won(referral)
    rewards.mark_sent(referral)
    assert rewards.thanks(referral) == [("EMAIL", "SKIPPED", "NO_CONSENT"), ("SMS", "SKIPPED", "NO_CONSENT")]
    assert rewards.find(referral)["rewardStatus"] == "SENT"
    assert inbox.mails(submission["referrerEmail"]) == inbox.texts(submission["referrerPhone"]) == []


def test_both_channels_with_one_consent_send_one_and_skip_one(rewards, inbox, form):
    rewards.policy(thankYouChannel="BOTH")
    submission = form(sms=True)
    referral = rewards.referral(submission)
    rewards.won(referral)
    rewards.mark_sent(referral)
    assert rewards.thanks(referral) == [("EMAIL", "SKIPPED", "NO_CONSENT"), ("SMS", "SUBMITTED", None)]
    rewards.wait_for(referral, rewardStatus="THANKED")
    (text,) = inbox.texts(submission["referrerPhone"])
    assert text.startswith("An Agent") and text.endswith("Reply STOP to opt out") and len(text) <= 160
    assert inbox.mails(submission["referrerEmail"]) == []


def test_twenty_at_once_send_one_reward_and_one_thank_you(rewards, inbox, form):
    rewards.policy()
    submission = form(email=True)
    referral = rewards.referral(submission)
    rewards.won(referral)
    answers = at_once(lambda _: rewards.act(referral, "mark-sent", ACKNOWLEDGED), range(20))
    assert [answer.status_code for answer in answers] == [200] * 20, [answer.text for answer in answers]
    assert len({answer.json()["rewardSentAt"] for answer in answers}) == 1
    rewards.wait_for(referral, rewardStatus="THANKED")
    rewards.pipeline.wait_until_quiet()
    assert len(inbox.mails(submission["referrerEmail"])) == 1


def test_a_later_policy_changes_nothing_about_a_reward_that_came_up(rewards, inbox, form):
    rewards.policy(rewardValue=7500)
    submission = form(email=True)
    referral = rewards.referral(submission)
    before = rewards.won(referral)
    rewards.policy(
        rewardType="account_credit", rewardValue=1, thankYouChannel="SMS", complianceGate="OFF", autoThank=False
    )
    refused = rewards.act(referral, "mark-sent")
    assert refused.status_code == 422, "the gate is the one of then"
    sent = rewards.mark_sent(referral)
    assert (sent["rewardType"], sent["rewardValue"]) == ("gift_card", 7500)
    assert sent["reward"]["terms"] == before["reward"]["terms"]
    assert rewards.thanks(referral) == [("EMAIL", "SUBMITTED", None)]
    assert "75.00 USD" in inbox.mails(submission["referrerEmail"])[0]["BodyText"]


def test_a_deal_of_another_referral_is_not_to_be_had(rewards, form):
    rewards.policy()
    first, second = rewards.referral(form()), rewards.referral(form())
    deal = rewards.won(first)["resultingDealId"]
    path = f"{REFERRALS}/{second['id']}/convert"
    answer = rewards.api.request("POST", path, rewards.office.tokens[ANN], json={"resultingDealId": deal})
    assert (answer.status_code, answer.json()["code"]) == (409, "deal_already_attributed")


def test_a_deal_that_is_taken_back_takes_the_reward_back_until_it_is_won_again(rewards, form):
    rewards.policy()
    referral = rewards.referral(form())
    deal = rewards.won(referral)["resultingDealId"]
    rewards.tell(referral, "DEAL_LOST", revision=3, deal=deal)
    rewards.wait_for(referral, status="QUALIFIED", rewardStatus="CANCELED", conversion=None)
    rewards.tell(referral, "DEAL_WON", revision=2, deal=deal)
    rewards.pipeline.wait_until_quiet()
    assert rewards.find(referral)["rewardStatus"] == "CANCELED", "what was told late is old"
    rewards.tell(referral, "deal.closed_won", revision=4, deal=deal)
    rewards.wait_for(referral, status="CONVERTED", rewardStatus="PENDING")


def test_the_link_in_the_mail_ends_the_thank_yous(rewards, inbox, form, canaries):
    rewards.policy()
    submission = form(email=True)
    referral = rewards.referral(submission)
    rewards.won(referral)
    rewards.mark_sent(referral)
    rewards.wait_for(referral, rewardStatus="THANKED")
    (mail,) = inbox.mails(submission["referrerEmail"])
    (link,) = set(re.findall(r"https?://\S+/u/[\w-]+", mail["BodyText"].replace("=\r\n", "")))
    answer = requests.post(link, data={"List-Unsubscribe": "One-Click"}, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200, answer.text

    # The same advocate sends another friend, and ticks the box again: nobody can tell that it is they.
    friend = canaries.submission(
        referrerName=submission["referrerName"],
        referrerEmail=submission["referrerEmail"],
        referrerEmailConsent=True,
        consentTextId=FORM,
    )
    second = rewards.referral(friend)
    rewards.won(second)
    rewards.mark_sent(second)
    assert rewards.thanks(second) == [("EMAIL", "SKIPPED", "NO_CONSENT")]
    assert len(inbox.mails(submission["referrerEmail"])) == 1
