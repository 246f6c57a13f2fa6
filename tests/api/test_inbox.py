"""A shop's cases for its owner's script: by the time left, and many granted at once."""

from collections.abc import Awaitable, Callable
from typing import Any

Buy = Callable[[], Awaitable[str]]


async def test_a_script_reads_the_list_and_grants_what_it_read_once(stall: Any, bought: Buy) -> None:
    wish = {"claim": "already_used", "demand": "full_refund", "statement": "激活时提示已被使用。", "by_person": True}
    cases = []
    for _ in range(2):
        answer = await stall.buyer.step("/cases", wish | {"order_ref": await bought()})
        cases.append(answer.json()["ref"])
    path = f"/shops/{stall.shop}/cases"
    page = (await stall.merchant.get(path)).json()
    assert (page["tab"], page["counts"]["mine"], page["after"]) == ("mine", 2, None)
    assert [row["ref"] for row in page["cases"]] == cases
    assert page["cases"][0]["due_at"] <= page["cases"][1]["due_at"]
    wanted = {"cases": [{"ref": row["ref"], "refund_minor": row["held_minor"]} for row in page["cases"]]}
    wanted["cases"][1]["refund_minor"] -= 1
    assert (await stall.merchant.post(f"{path}/grant", wanted)).status_code == 400, "a key is asked for"
    done = await stall.merchant.post(f"{path}/grant", wanted, key="k1")
    assert done.status_code == 200, done.text
    assert [one["code"] for one in done.json()["cases"]] == [None, "demand_changed"]
    again = await stall.merchant.post(f"{path}/grant", wanted, key="k1")
    assert (again.content, again.headers["idempotent-replayed"]) == (done.content, "true")
    assert [row["ref"] for row in (await stall.merchant.get(path, params={"tab": "closed"})).json()["cases"]] == cases[
        :1
    ]
    for outsider in (stall.buyer, stall.rival, stall.stranger):
        assert (await outsider.get(path)).status_code == 404
    assert (await stall.buyer.post(f"{path}/grant", wanted, key="k2")).status_code == 403
    told = (await stall.rival.post(f"{path}/grant", wanted, key="k3")).json()["cases"]
    assert {one["code"] for one in told} == {"not_found"}
    assert (await stall.merchant.get("/shops/-/cases")).status_code == 404
    assert (await stall.merchant.get(path, params={"tab": "none"})).status_code in (400, 422)
    assert (await stall.merchant.post(f"{path}/grant", {"cases": []}, key="k4")).status_code == 422
