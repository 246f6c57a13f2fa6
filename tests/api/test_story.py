"""The main job through the API: buy sealed, open, confirm; refund while sealed; a case, settled and ruled."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import httpx

from kabao.identity import Role
from kabao.postgres import Database
from kabao.wiring import App

Buy = Callable[[], Awaitable[str]]


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["type"] == f"urn:kabao:problem:{code}"
    assert body["status"] == status
    return body


async def printed(stall: Any, path: str) -> None:
    """Fetch a ruling's files: they belong together, whoever asks."""
    document = await stall.buyer.get(f"{path}/ruling.json?no=1")
    assert document.json()["record"]["refund_minor"] == 4825
    pdf, note = [await stall.merchant.get(f"{path}/ruling.{ending}") for ending in ("pdf", "sig")]
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert note.text.split("\n")[1:3] == [sha256(one.content).hexdigest() for one in (document, pdf)]
    problem(await stall.buyer.get(f"{path}/ruling.pdf?no=2"), 404, "not_found")


async def audited(app: App) -> None:
    from kabao.orders import audit  # noqa: PLC0415  only this check needs it

    async with app.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        report = await audit(conn)
    assert report.ok, report.findings


async def test_anyone_reads_what_is_on_sale(stall: Any, client: httpx.AsyncClient) -> None:
    listed = (await client.get("/api/v1/listings")).json()
    assert [card["ref"] for card in listed["listings"]] == [stall.listing]
    assert listed["next"] == ""
    shown = (await client.get(f"/api/v1/listings/{stall.listing}")).json()
    assert shown["price_minor"] == 9650
    assert shown["stock"] == 6
    assert [notice["notice_id"] for notice in shown["notices"]] == stall.notices
    assert len(shown["snapshot_digest"]) == 64
    found = (await client.get("/api/v1/listings", params={"q": "没有这种商品"})).json()
    assert found["listings"] == []


async def test_a_buyer_pays_opens_and_confirms(app: App, stall: Any, bought: Buy) -> None:
    ref = await bought()
    order = (await stall.buyer.get(f"/orders/{ref}")).json()
    assert order["state"] == "delivered"
    assert order["escrow"]["held_minor"] == 9650
    assert [slot["state"] for slot in order["keys"]] == ["sealed"]
    assert "reveal" in order["allowed"]

    opened = await stall.buyer.post(f"/orders/{ref}/reveal", {})
    assert opened.status_code == 200, opened.text
    assert opened.headers["cache-control"] == "no-store"
    assert opened.json()["keys"][0]["text"] in stall.keys
    assert opened.json()["first_time"]
    again = await stall.buyer.post(f"/orders/{ref}/reveal", {"positions": [1]})
    assert again.json()["keys"] == opened.json()["keys"]
    assert not again.json()["first_time"]

    problem(await stall.buyer.step(f"/orders/{ref}/refund"), 409, "already_opened")
    confirmed = await stall.buyer.step(f"/orders/{ref}/confirm")
    assert confirmed.status_code == 200
    assert confirmed.json() == {"released_minor": 9650, "fee_minor": 289, "state": "confirmed"}
    assert await app.instructions.run() == 1
    assert (await stall.buyer.get(f"/orders/{ref}")).json()["state"] == "settled"
    rows = (await stall.buyer.get("/orders")).json()
    assert [row["ref"] for row in rows["orders"]] == [ref]
    assert (await stall.buyer.get("/orders", params={"before": rows["next"]})).json()["orders"] == []
    await audited(app)


async def test_a_sealed_key_goes_back_to_stock_at_once(
    app: App, stall: Any, bought: Buy, client: httpx.AsyncClient
) -> None:
    ref = await bought()
    refunded = await stall.buyer.step(f"/orders/{ref}/refund")
    assert refunded.json() == {"refunded_minor": 9650, "state": "refunded"}
    assert (await client.get(f"/api/v1/listings/{stall.listing}")).json()["stock"] == 6
    problem(await stall.buyer.post(f"/orders/{ref}/reveal", {}), 409, "key_taken_back")
    await audited(app)


async def test_an_unpaid_order_is_cancelled_once_and_for_all(stall: Any) -> None:
    ref = (await stall.buyer.step("/orders", stall.wish(2))).json()["ref"]
    assert (await stall.buyer.post(f"/orders/{ref}/cancel")).status_code == 204
    assert (await stall.buyer.post(f"/orders/{ref}/cancel")).status_code == 204
    problem(await stall.buyer.post(f"/orders/{ref}/checkout"), 409, "already_paid_or_ended")


async def test_the_two_sides_talk_and_hand_in_files(stall: Any, bought: Buy) -> None:
    ref = await bought()
    said = await stall.buyer.post(f"/orders/{ref}/messages", {"body": "卡密什么时候能用？"})
    assert said.status_code == 201, said.text
    await stall.merchant.post(f"/orders/{ref}/messages", {"body": "马上就能用。"})
    read = (await stall.merchant.get(f"/orders/{ref}/messages")).json()["messages"]
    assert [(line["author_role"], line["body"]) for line in read] == [
        ("buyer", "卡密什么时候能用？"),
        ("merchant", "马上就能用。"),
    ]
    given = await stall.buyer.client.post(
        f"/api/v1/orders/{ref}/files",
        files={"file": ("log.txt", "激活失败\n".encode(), "text/plain")},
        headers=stall.buyer.headers,
    )
    assert given.status_code == 201, given.text
    assert given.json()["item_no"] == 1
    assert given.json()["media_type"] == "text/plain"
    problem(
        await stall.buyer.client.post(
            f"/api/v1/orders/{ref}/files", files={"other": ("x.txt", b"x", "text/plain")}, headers=stall.buyer.headers
        ),
        422,
        "invalid_fields",
    )


async def open_case(stall: Any, ref: str, **changes: Any) -> dict[str, Any]:
    await stall.buyer.post(f"/orders/{ref}/reveal", {})
    wish = {"order_ref": ref, "claim": "already_used", "demand": "full_refund", "statement": "激活时提示已被使用。"}
    answer = await stall.buyer.step("/cases", wish | changes)
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


async def test_an_accepted_offer_moves_the_money_at_once(app: App, stall: Any, bought: Buy) -> None:
    ref = await bought()
    case = await open_case(stall, ref)
    assert case["stage"] == "negotiation"
    assert (await stall.buyer.get(f"/orders/{ref}")).json()["in_case"]
    problem(await stall.buyer.step(f"/orders/{ref}/confirm"), 409, "in_case")

    offered = await stall.merchant.step(
        f"/cases/{case['ref']}/offers", {"kind": "partial_refund", "refund_minor": 5000, "note": "退一部分"}
    )
    assert offered.status_code == 201, offered.text
    offer = next(entry for entry in offered.json()["offers"] if entry["state"] == "open")
    assert offer["refund_minor"] == 5000
    problem(await stall.merchant.step(f"/cases/{case['ref']}/offers/{offer['offer_id']}/accept"), 403, "not_allowed")
    settled = await stall.buyer.step(f"/cases/{case['ref']}/offers/{offer['offer_id']}/accept")
    assert settled.status_code == 200, settled.text
    assert settled.json()["stage"] == "settled"
    order = (await stall.buyer.get(f"/orders/{ref}")).json()
    assert order["state"] == "partly_refunded"
    assert order["escrow"]["refunded_minor"] == 5000
    assert await app.instructions.run() == 2
    await audited(app)


async def test_a_refused_offer_leaves_the_case_open_and_it_can_be_withdrawn(stall: Any, bought: Buy) -> None:
    ref = await bought()
    case = await open_case(stall, ref)
    offered = await stall.merchant.step(f"/cases/{case['ref']}/offers", {"kind": "replacement"})
    offer = next(entry for entry in offered.json()["offers"] if entry["state"] == "open")
    refused = await stall.buyer.post(f"/cases/{case['ref']}/offers/{offer['offer_id']}/refuse")
    assert refused.status_code == 200, refused.text
    problem(await stall.buyer.step(f"/cases/{case['ref']}/offers/{offer['offer_id']}/accept"), 409, "offer_gone")
    problem(await stall.buyer.step(f"/cases/{case['ref']}/offers/nothing/accept"), 409, "offer_gone")
    said = await stall.buyer.post(f"/cases/{case['ref']}/messages", {"body": "我再试一次。"})
    assert said.status_code == 201
    assert any(line["said"] == "我再试一次。" for line in said.json()["timeline"])
    withdrawn = await stall.buyer.post(f"/cases/{case['ref']}/withdraw")
    assert withdrawn.json()["stage"] == "withdrawn"
    assert not (await stall.buyer.get(f"/orders/{ref}")).json()["in_case"]


async def test_the_merchant_grants_the_demand(stall: Any, bought: Buy) -> None:
    ref = await bought()
    case = await open_case(stall, ref)
    granted = await stall.merchant.step(f"/cases/{case['ref']}/accept-demand")
    assert granted.status_code == 200, granted.text
    assert granted.json()["stage"] == "settled"
    assert (await stall.buyer.get(f"/orders/{ref}")).json()["state"] == "refunded"


async def handed_in_with_grounds(stall: Any, path: str, ruling: dict[str, Any]) -> httpx.Response:
    """Learn from the refusals what a ruling has to rest on, take a question back, and hand it in."""
    bare = problem(await stall.support.step(f"{path}/ruling", ruling), 422, "invalid_fields")
    points = (await stall.merchant.get(f"{path}/points")).json()
    kinds = [(one["by"], one["kind"]) for one in points]
    assert kinds == [("buyer", "claim"), ("merchant", "answered"), ("buyer", "replied")]
    assert set(bare["fields"]) == {f"take_{one['key']}" for one in points} | {"articles"}
    answers = [{"point": one["key"], "take": "not_decisive", "why": "各有一半道理。"} for one in points]
    grounds = {"answers": answers, "laws": ["xiaofa-55"]}
    asked = (await stall.support.post(f"{path}/questions", {"to": "merchant", "body": "出库记录呢？"})).json()
    question = asked["questions"][-1]["question_id"]
    waits = problem(await stall.support.step(f"{path}/ruling", ruling | grounds), 422, "invalid_fields")
    assert list(waits["fields"]) == ["unanswered"]
    problem(await stall.merchant.post(f"{path}/questions/{question}/withdraw"), 403, "not_allowed")
    withdrawn = (await stall.support.post(f"{path}/questions/{question}/withdraw")).json()
    assert withdrawn["questions"][-1]["withdrawn_at"]
    ruling |= grounds
    answer: httpx.Response = await stall.support.step(f"{path}/ruling", ruling)
    assert answer.status_code == 201, answer.text
    return answer


async def test_support_rules_after_the_merchant_contests(
    app: App, stall: Any, bought: Buy, owner_database: Database
) -> None:
    ref = await bought()
    case = await open_case(stall, ref)
    path = f"/cases/{case['ref']}"
    answered = await stall.merchant.post(f"{path}/answer", {"body": "出库时没有用过，请看记录。"})
    assert answered.status_code == 200, answered.text
    ruling = {
        "outcome": "partial_refund",
        "refund_minor": 4825,
        "damages_minor": 500,
        "shares": {"merchant": 50, "buyer": 50},
        "facts": "拆封后五分钟报错。",
        "reasons": "商家没有出库前的记录。",
        "differs_reason": "双方都有一半的道理。",
    }
    problem(await stall.support.step(f"{path}/ruling", ruling), 409, "not_your_turn")
    raised = await stall.buyer.post(f"{path}/escalate")
    assert raised.json()["stage"] == "support"
    queue = (await stall.support.get("/cases")).json()["cases"]
    assert [entry["ref"] for entry in queue] == [case["ref"]]
    problem(await stall.buyer.step(f"{path}/ruling", ruling), 403, "not_allowed")
    asked = await stall.support.post(f"{path}/questions", {"to": "buyer", "body": "几点激活的？"})
    assert asked.status_code == 201, asked.text
    question = (await stall.buyer.get(path)).json()["questions"][0]["question_id"]
    problem(await stall.merchant.post(f"{path}/questions/{question}/answer", {"body": "x"}), 403, "not_allowed")
    problem(await stall.buyer.post(f"{path}/questions/nonsense/answer", {"body": "x"}), 404, "not_found")
    answered = await stall.buyer.post(f"{path}/questions/{question}/answer", {"body": "14:05。"})
    assert answered.json()["questions"][0]["answer"] == "14:05。"
    problem(await stall.support.step(f"{path}/ruling", ruling), 409, "first_view_needed")
    view = {"outcome": "no_refund", "shares": {"buyer": 100}, "sentence": "先看记录。"}
    problem(await stall.support.post(f"{path}/first-view", view | {"shares": {}}), 422, "invalid_fields")
    assert "rule" in (await stall.support.post(f"{path}/first-view", view)).json()["allowed"]
    handed_in = await handed_in_with_grounds(stall, path, ruling)
    assert (handed_in.json()["ruling"], handed_in.json()["stage"]) == (None, "support")
    assert handed_in.json()["undo_until"]
    problem(await stall.buyer.get(f"{path}/ruling"), 404, "not_found")
    assert (await stall.buyer.get(path)).json()["undo_until"] is None
    assert (await stall.support.post(f"{path}/ruling/take-back")).json()["undo_until"] is None
    problem(await stall.support.post(f"{path}/ruling/take-back"), 409, "undo_over")
    assert (await stall.support.step(f"{path}/ruling", ruling)).status_code == 201
    await owner_database.execute("UPDATE ruling_submission SET visible_at = submitted_at")
    assert await app.cases.tick() == 1
    for side in (stall.buyer, stall.merchant):
        seen = (await side.get(path)).json()
        assert (seen["stage"], seen["ruling"]["reasons"]) == ("ruled_open", ruling["reasons"])
    listed = (await stall.buyer.get(f"{path}/ruling")).json()
    assert [(one["refund_minor"], one["damages_minor"]) for one in listed["rulings"]] == [(4825, 500)]
    assert listed["rulings"][0]["grounds"]["answers"] == ruling["answers"]
    await printed(stall, path)
    assert (listed["review_until"], listed["executed_at"]) == (seen["due_at"], None)
    assert (await stall.buyer.post(f"{path}/waive")).json()["waived_by"] == ["buyer"]
    problem(await stall.buyer.post(f"{path}/review", {"reason": "再看看。"}), 409, "not_your_turn")
    waived = await stall.merchant.post(f"{path}/waive")
    assert waived.json()["stage"] == "executed"
    assert (await stall.buyer.get(f"/orders/{ref}")).json()["state"] == "partly_refunded"
    assert [entry["ref"] for entry in (await stall.buyer.get("/cases")).json()["cases"]] == [case["ref"]]
    of_shop = await stall.merchant.get("/cases", params={"shop": stall.shop})
    assert [entry["ref"] for entry in of_shop.json()["cases"]] == [case["ref"]]
    await audited(app)


async def test_a_panellist_votes_and_another_reviews(
    app: App, stall: Any, bought: Buy, script_of: Any, owner_database: Database
) -> None:
    case = await open_case(stall, await bought())
    path = f"/cases/{case['ref']}"
    await stall.merchant.post(f"{path}/answer", {"body": "不同意。"})
    await stall.buyer.post(f"{path}/escalate")
    panellists = [await script_of(number, Role.PANEL) for number in (11, 12)]
    passed = await stall.support.post(f"{path}/escalate")
    assert (passed.status_code, passed.json()["stage"]) == (200, "panel"), passed.text
    queues = [(await one.get("/cases")).json()["cases"] for one in panellists]
    assert sorted(len(queue) for queue in queues) == [0, 1]
    first, second = sorted(panellists, key=lambda one: not queues[panellists.index(one)])
    assert (await second.get(path)).status_code == 404
    shares = {"merchant": 100}
    vote = {"upholds": True, "refund_minor": 9650, "shares": shares, "facts": "x", "reasons": "y"}
    vote["differs_reason"] = "商家自己承认了。"
    keys = [one["key"] for one in (await stall.buyer.get(f"{path}/points")).json()]
    vote["answers"] = [{"point": key, "take": "accepted", "why": "见记录。"} for key in keys]
    vote["laws"] = ["xiaofa-55"]
    problem(await first.step(f"{path}/votes", vote), 409, "first_view_needed")
    await first.post(f"{path}/first-view", {"outcome": "full_refund", "shares": shares, "sentence": "x"})
    assert (await first.step(f"{path}/votes", vote)).status_code == 201
    problem(await first.step(f"{path}/votes", vote), 409, "already_voted")
    await owner_database.execute("UPDATE ruling_submission SET visible_at = submitted_at")
    assert await app.cases.tick() == 1
    asked = await stall.merchant.post(f"{path}/review", {"reason": "记录没有看。"})
    assert (asked.status_code, asked.json()["stage"]) == (200, "review"), asked.text
    assert [one["ref"] for one in (await second.get("/cases")).json()["cases"]] == [case["ref"]]
    left = await second.post(f"{path}/recuse", {"reason": "认识店主。"})
    assert left.status_code == 204, left.text
    assert (await second.get(path)).status_code == 404
    assert (await stall.buyer.get(path)).json()["stage"] == "review"


async def test_staff_route_a_case_out_and_give_it_to_the_panel(stall: Any, bought: Buy, script_of: Any) -> None:
    case = await open_case(stall, await bought())
    path, why = f"/cases/{case['ref']}", {"reason": "公安已立案。"}
    await stall.merchant.post(f"{path}/answer", {"body": "不同意。"})
    await stall.buyer.post(f"{path}/escalate")
    problem(await stall.support.post(f"{path}/route-out", why), 409, "first_view_needed")
    view = {"outcome": "no_refund", "shares": {"buyer": 100}, "sentence": "先看记录。"}
    await stall.support.post(f"{path}/first-view", view)
    problem(await stall.support.post(f"{path}/route-out", why), 409, "not_routed_out")
    crime = {"fact": "crime_suspected", "shows": True, "kind": "police_record", "confidence": 97}
    await stall.support.post(f"{path}/facts", crime)
    assert (await stall.support.post(f"{path}/route-out", why)).status_code == 204
    assert (await stall.buyer.get(path)).json()["stage"] == "routed_out"
    problem(await stall.buyer.post(f"{path}/withdraw"), 409, "routed_out")
    officer = await script_of(13, Role.DUTY)
    problem(await officer.post(f"{path}/route-back", {"reason": " "}), 422, "invalid_fields")
    assert (await officer.post(f"{path}/route-back", why)).status_code == 204
    assert (await stall.buyer.get(path)).json()["stage"] == "panel"


async def test_a_merchant_manages_shop_listing_and_stock(stall: Any) -> None:
    path = f"/shops/{stall.shop}/listings/{stall.listing}"
    assert [shop["ref"] for shop in (await stall.merchant.get("/shops")).json()["shops"]] == [stall.shop]
    imports = (await stall.merchant.get(f"{path}/imports")).json()["imports"]
    assert [entry["added"] for entry in imports] == [6]
    again = await stall.merchant.client.post(
        f"/api/v1{path}/keys",
        content=("key\n" + "\n".join([*stall.keys[:2], "NEW-KEY-1", "x" * 501])).encode(),
        headers=stall.merchant.headers | {"content-type": "text/csv", "x-file-name": "second.csv"},
    )
    report = again.json()
    assert (report["added"], report["duplicates"], report["bad"]) == (1, 2, 1)
    assert report["bad_lines"][0][0] == 5
    assert not any(key in again.text for key in stall.keys)
    assert (report["header_lines"], report["columns"]) == (1, [[1, "key"]])
    assert (report["repeated"], report["in_stock"]) == (0, 2)
    back = f"/shops/{stall.shop}/imports/{report['ref']}/withdraw"
    assert (await stall.rival.post(back)).status_code == 404
    taken = await stall.merchant.post(back)
    assert (taken.status_code, taken.json()["withdrawn"]) == (200, 1), taken.text
    plain = await stall.merchant.client.post(
        f"/api/v1{path}/keys", content=b"A-1,B-1\n", headers=stall.merchant.headers | {"content-type": "text/plain"}
    )
    assert plain.json()["added"] == 1
    guessed = await stall.merchant.client.post(
        f"/api/v1{path}/keys", content=b"A-1,B-1\n", headers=stall.merchant.headers | {"content-type": "text/csv"}
    )
    assert (guessed.status_code, guessed.json()["code"]) == (422, "columns_unknown")
    changed = await stall.merchant.client.put(
        f"/api/v1{path}",
        json={"title": "测试点卡 100 元（新）", "description": "改过。", "category": "game_card", "price_minor": 9500},
        headers=stall.merchant.headers,
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["snapshot_no"] == stall.snapshot_no + 1
    problem(await stall.buyer.step("/orders", stall.wish()), 409, "listing_changed")
    assert (await stall.merchant.post(f"{path}/pause")).json()["state"] == "paused"


async def test_the_custodian_reports_a_payment_and_a_replay_changes_nothing(
    app: App, stall: Any, client: httpx.AsyncClient
) -> None:
    ref = (await stall.buyer.step("/orders", stall.wish())).json()["ref"]
    path = (await stall.buyer.post(f"/orders/{ref}/checkout")).json()["pay_path"]
    payment = await app.custody.pay(path.rpartition("/")[2])
    assert payment is not None
    sent: list[tuple[bytes, str]] = []

    async def over_http(body: bytes, signature: str) -> bool:
        sent.append((body, signature))
        answer = await client.post("/api/v1/custody/sandbox/notice", content=body, headers={"x-signature": signature})
        return answer.status_code == 200

    assert await app.custody.notify(payment, over_http)
    body, signature = sent[0]
    replay = await client.post("/api/v1/custody/sandbox/notice", content=body, headers={"x-signature": signature})
    assert replay.json() == {"ref": ref, "outcome": "applied", "state": "delivered", "replayed": True}
    forged = body.replace(b"9650", b"0001")
    problem(
        await client.post("/api/v1/custody/sandbox/notice", content=forged, headers={"x-signature": signature}),
        400,
        "signature_wrong",
    )
    await audited(app)
