import pytest

from elevenlabs_tokens.emulator.admission import Admission, ApiKeys, KeyRefusedError
from elevenlabs_tokens.emulator.ledger import TokenLedger, TokenRefusedError


def status(keys: ApiKeys, api_key: str | None, authorization: str | None = None) -> str:
    with pytest.raises(KeyRefusedError) as caught:
        keys.check(api_key, authorization=authorization)
    return caught.value.error.status


def test_any_key_will_do_but_one_must_be_sent() -> None:
    """Without a list of keys, only their absence is refused."""
    keys = ApiKeys(None)
    keys.check("whatever")

    assert "needs_authorization" == status(keys, None)
    assert "needs_authorization" == status(keys, "")


def test_listed_keys_alone_are_accepted() -> None:
    """With a list of keys, another is refused by its own status."""
    keys = ApiKeys(["sk_one", "sk_two"])
    keys.check("sk_two")

    assert "invalid_api_key" == status(keys, "sk_three")


def test_a_bearer_header_is_no_place_for_a_key() -> None:
    """An `Authorization` header instead of `xi-api-key` has a status of its own."""
    assert "invalid_authorization_header" == status(ApiKeys(None), None, "Bearer sk_one")


def test_where_a_token_is_given_it_alone_decides() -> None:
    """A good key does not help a bad token, and a bad key does not harm a good one."""
    ledger = TokenLedger(lifetime_in_seconds=900, clock=lambda: 0.0)
    admission = Admission(ledger, ApiKeys(["sk_good"]))
    admission.admit("realtime_scribe", token=ledger.mint("realtime_scribe"), api_key="sk_bad")
    admission.admit("realtime_scribe", token=None, api_key="sk_good")

    with pytest.raises(TokenRefusedError):
        admission.admit("realtime_scribe", token="", api_key="sk_good")
    with pytest.raises(KeyRefusedError):
        admission.admit("realtime_scribe", token=None, api_key="sk_bad")
