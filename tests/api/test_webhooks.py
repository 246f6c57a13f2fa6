"""A shop's program names its own address by the API; nobody else reaches it."""

from typing import Any

URL = "https://hooks.example.org/kabao"


async def test_an_endpoint_is_added_listed_rotated_tried_and_removed(stall: Any) -> None:
    at = f"/shops/{stall.shop}/webhooks"
    made = await stall.merchant.post(at, {"url": URL})
    assert made.status_code == 201, made.text
    ref, secret = made.json()["ref"], made.json()["secret"]
    assert secret.startswith("whsec_")
    [listed] = (await stall.merchant.get(at)).json()["endpoints"]
    assert (listed["ref"], listed["url"], listed["state"], listed["secret"]) == (ref, URL, "on", None)
    rotated = await stall.merchant.post(f"{at}/{ref}/rotate")
    assert rotated.json()["secret"] not in {secret, None}
    assert rotated.json()["previous_until"] is not None
    again = await stall.merchant.post(f"{at}/{ref}/rotate")
    assert (again.status_code, again.json()["code"]) == (409, "webhook_rotating")
    assert (await stall.merchant.post(f"{at}/{ref}/end-previous")).json()["previous_until"] is None
    assert (await stall.merchant.post(f"{at}/{ref}/test")).status_code == 202
    [line] = (await stall.merchant.get(f"{at}/{ref}/deliveries")).json()["deliveries"]
    assert (line["type"], line["state"], line["tries"], line["about"]) == ("test", "waiting", 0, "")
    assert (await stall.merchant.post(f"{at}/{ref}/off")).json()["state"] == "off"
    off = await stall.merchant.post(f"{at}/{ref}/test")
    assert (off.status_code, off.json()["code"]) == (409, "webhook_off")
    assert (await stall.merchant.post(f"{at}/{ref}/on")).json()["state"] == "on"
    removed = await stall.merchant.client.delete(f"/api/v1{at}/{ref}", headers=stall.merchant.headers)
    assert removed.status_code == 204
    assert (await stall.merchant.get(at)).json() == {"endpoints": []}


async def test_wrong_addresses_strangers_and_buyers_are_refused(stall: Any) -> None:
    at = f"/shops/{stall.shop}/webhooks"
    for url in ("http://hooks.example.org/", "https://127.0.0.1/", "https://[::1]/", "", "x" * 501):
        refused = await stall.merchant.post(at, {"url": url})
        assert (refused.status_code, list(refused.json()["fields"])) == (422, ["url"])
    ref = (await stall.merchant.post(at, {"url": URL})).json()["ref"]
    for path in (at, f"{at}/{ref}/deliveries"):
        assert (await stall.rival.get(path)).status_code == 404
    for act in ("rotate", "end-previous", "on", "off", "test"):
        assert (await stall.rival.post(f"{at}/{ref}/{act}")).status_code == 404
        assert (await stall.buyer.post(f"{at}/{ref}/{act}")).status_code == 403
    for path in ("/shops/!/webhooks", f"{at}/x/deliveries", f"{at}/77-1/deliveries"):
        assert (await stall.merchant.get(path)).status_code == 404
