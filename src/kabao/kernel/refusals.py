"""Everything a person may be refused, in one table: the HTTP status and the sentence in Chinese and English.

Refusals are values, not exceptions. Where several apply, the one that stands first here is answered. A sentence says
what is wrong, where the money is when money is concerned, and what to do next.
"""

from typing import Final, NamedTuple

import msgspec

from kabao.kernel.codes import Refusal


class Sentence(NamedTuple):
    """How a refusal is answered: HTTP status, Chinese, English."""

    status: int
    zh: str
    en: str


class Refused(msgspec.Struct, frozen=True):
    """A refused step: the code, and for INVALID_FIELDS what is wrong with each field (field name to sentence)."""

    code: Refusal
    fields: dict[str, str] = {}

    @property
    def status(self) -> int:
        """The HTTP status."""
        return SENTENCES[self.code].status

    @property
    def zh(self) -> str:
        """The Chinese sentence."""
        return SENTENCES[self.code].zh

    @property
    def en(self) -> str:
        """The English sentence."""
        return SENTENCES[self.code].en


def refuse(code: str) -> Refused:
    """Turn a code answered by the database into the refusal; raises ValueError for a code not in the table."""
    return Refused(Refusal(code))


SENTENCES: Final[dict[Refusal, Sentence]] = {
    Refusal.SIGN_IN_REQUIRED: Sentence(
        401, "请先登录，登录后会回到这一步。", "Sign in first; you will come back to this step."
    ),
    Refusal.CSRF_MISMATCH: Sentence(
        403,
        "这个页面过期了，什么也没有改动。刷新页面后再提交一次。",
        "This page is out of date and nothing was changed. Reload it and submit again.",
    ),
    Refusal.TOO_MANY_TRIES: Sentence(
        429,
        "试得太频繁了，什么也没有改动。过几分钟再试。",
        "Too many tries; nothing was changed. Try again in a few minutes.",
    ),
    Refusal.NOT_FOUND: Sentence(
        404,
        "没有找到，或者它不属于你。请从你的订单或店铺进入。",
        "Not found, or not yours. Open it from your own orders or shop.",
    ),
    Refusal.NOT_ALLOWED: Sentence(403, "你的身份不能做这一步。", "Your role does not allow this step."),
    Refusal.STAFF_CHECK_REQUIRED: Sentence(
        403, "工作人员要先输入密码和动态码。", "Staff must give the password and one-time code first."
    ),
    Refusal.MALFORMED: Sentence(
        400, "请求的格式不对，什么也没有改动。", "The request is malformed; nothing was changed."
    ),
    Refusal.BODY_TOO_LARGE: Sentence(
        413, "内容太大，没有收下。请减小后再提交。", "The body is too large and was not taken. Send less."
    ),
    Refusal.INVALID_FIELDS: Sentence(
        422, "有几处要改，你填的内容都还在。", "Some fields need another look; what you typed is kept."
    ),
    Refusal.WRONG_CREDENTIALS: Sentence(
        401,
        "密码或动态码不对，请检查后再试。",
        "The password or one-time code is wrong; check and try again.",
    ),
    Refusal.CODE_WRONG: Sentence(422, "验证码不对，请检查后再填。", "The code is wrong; check it and enter it again."),
    Refusal.CODE_EXPIRED: Sentence(422, "验证码过期了，请重新获取。", "The code has expired; ask for a new one."),
    Refusal.LINK_SPENT: Sentence(
        410,
        "这个登录链接用过了或过期了，请用手机号登录。",
        "This sign-in link is spent or expired; sign in by phone.",
    ),
    Refusal.ACCOUNT_FROZEN: Sentence(
        403,
        "这个账号被停用了，钱和订单都还在。请联系客服。",
        "This account is frozen; money and orders are kept. Contact support.",
    ),
    Refusal.IDEMPOTENCY_KEY_MISSING: Sentence(
        400,
        "缺少 Idempotency-Key，什么也没有改动。请带上一个新的键再发。",
        "Idempotency-Key is missing and nothing was changed. Send one with the request.",
    ),
    Refusal.IDEMPOTENCY_KEY_REUSED: Sentence(
        422,
        "这个 Idempotency-Key 已用于另一个请求，这次什么也没有改动。",
        "This Idempotency-Key belongs to another request; nothing was changed this time.",
    ),
    Refusal.IDEMPOTENT_REPLY_PENDING: Sentence(
        409,
        "同一个请求还在处理，稍后用同一个键再问一次。",
        "The same request is still running; ask again with the same key.",
    ),
    Refusal.SHOP_INCOMPLETE: Sentence(
        422,
        "店铺资料还不全，补齐联系人、主体名称、地址和执照号后才能上架。",
        "Complete the shop's contact, legal name, address and licence number before selling.",
    ),
    Refusal.GOODS_PROHIBITED: Sentence(
        422,
        "这类商品不能在这里卖，商品没有上架。",
        "These goods may not be sold here; the listing was not published.",
    ),
    Refusal.TERMS_UNFAIR: Sentence(
        422,
        "商品里有依法应属无效、或者和退款条件对不上的话，改好才能上架；已经在卖的没有变。",
        "Words that by law should be void or contradict the terms keep a listing off sale; what is on sale stays.",
    ),
    Refusal.NOT_ON_SALE: Sentence(
        409, "这件商品现在没有在卖，没有扣你的钱。", "This is not on sale now; no money was taken."
    ),
    Refusal.LISTING_CHANGED: Sentence(
        409,
        "商品页在你看的时候改过了，没有下单。请看过新的内容再买。",
        "The listing changed while you were reading; no order was placed. Read the new page first.",
    ),
    Refusal.OWN_SHOP: Sentence(409, "不能买自己店里的商品。", "You cannot buy from your own shop."),
    Refusal.QUANTITY_OUT_OF_RANGE: Sentence(
        422,
        "数量超出了这件商品的上限，没有下单。",
        "The quantity is outside this listing's limit; no order was placed.",
    ),
    Refusal.NOTICE_UNCONFIRMED: Sentence(
        422, "请先逐条勾选购买前的提示，没有下单。", "Confirm each notice first; no order was placed."
    ),
    Refusal.SOLD_OUT: Sentence(
        409, "库存不够了，没有改动，也没有动钱。", "Not enough stock; nothing was changed and no money moved."
    ),
    Refusal.TOO_MANY_UNPAID: Sentence(
        409,
        "你在这家店有太多未付款的订单，先付款或取消一个再下单。",
        "You have too many unpaid orders in this shop; pay or cancel one first.",
    ),
    Refusal.NOT_PAID: Sentence(
        409, "这个订单还没有付款，没有钱可动。", "This order is not paid; there is no money to move."
    ),
    Refusal.ORDER_EXPIRED: Sentence(
        409,
        "订单超时没有付款，已经关闭。如果你刚付了钱，钱会原路退回。",
        "The order expired unpaid. If you have just paid, the money goes back the way it came.",
    ),
    Refusal.ALREADY_PAID_OR_ENDED: Sentence(
        409, "订单已付款或已结束，不能取消。", "The order is paid or ended and cannot be cancelled."
    ),
    Refusal.IN_CASE: Sentence(
        409,
        "这个订单在处理纠纷，没有动钱，还没放款的冻结在托管方。请到纠纷页操作。",
        "This order is in a case and no money moved; what is not released is frozen. Act on the case page.",
    ),
    Refusal.ALREADY_REFUNDED: Sentence(
        409,
        "这单能退的钱都已经办过退款。到没到账，看订单里的「钱的去向」。",
        "All that this order may refund was refunded already. The order says whether it has arrived.",
    ),
    Refusal.ALREADY_RELEASED: Sentence(
        409,
        "钱已经付给商家，不能再直接退。售后期内有问题，到订单里点「有问题」，该退的从店铺的保证金付；"
        "售后期过了，可以请商家自愿退，也可以向 12315 或消协投诉。",
        "The money was released to the merchant. Inside the claim days open a case, which the shop's deposit answers "
        "for; later ask the merchant in the order, or complain to 12315.",
    ),
    Refusal.ALREADY_OPENED: Sentence(
        409,
        "卡密已经拆封，不能无理由退。如果有问题，请点「有问题」，钱还在托管方。",
        "The key has been opened, so the no-reason refund is over. If it fails, open a case; the money is still held.",
    ),
    Refusal.REPLACEMENT_STAYS: Sentence(
        409,
        "这是协商好补发的卡密，不能再无理由退。有问题可以再申请，钱还在托管方。",
        "This key is an agreed replacement: no refund without a reason. If it fails, open a case; the money is held.",
    ),
    Refusal.KEY_TAKEN_BACK: Sentence(
        409, "卡密已经收回，钱退到原付款账户。", "The key was taken back and the money refunded."
    ),
    Refusal.NOT_IN_CASE: Sentence(
        409, "这个订单没有在处理的纠纷，没有改动。", "This order is in no open case; nothing was changed."
    ),
    Refusal.CASE_LIMIT: Sentence(
        409,
        "这个订单不能再开纠纷：买家最多撤回两次，商家每单一次。仍有问题，请联系对方，也可以向 12315 或消协投诉。",
        "No new case is taken on this order: a buyer may withdraw two, a merchant open one. Complain to 12315.",
    ),
    Refusal.CASE_CLOSED: Sentence(409, "纠纷已经结束，没有改动。", "The case is closed; nothing was changed."),
    Refusal.CASE_CHARGED_BACK: Sentence(
        409,
        "付款银行撤回了这笔付款，纠纷随之结束，没有改动。",
        "The payer's bank took the payment back, which ended the case; nothing was changed.",
    ),
    Refusal.NOT_YOUR_TURN: Sentence(
        409, "现在还不能做这一步，没有改动。", "This step is not open now; nothing was changed."
    ),
    Refusal.OFFER_GONE: Sentence(
        409,
        "这个方案已经不在了，没有改动，请看最新的方案。",
        "This offer is gone and nothing was changed; look at the latest one.",
    ),
    Refusal.REFUND_OUT_OF_RANGE: Sentence(
        422,
        "退款金额要在 0.01 元和这单还能退的金额之间，没有改动，没有动钱。",
        "The refund must lie between 0.01 and what may still be refunded; nothing was changed and no money moved.",
    ),
    Refusal.DAMAGES_OUT_OF_RANGE: Sentence(
        422,
        "赔偿最多是付款的十倍或者 500 元，取多的，规则推出更多的除外；没有改动，没有动钱。",
        "Damages are at most ten times the price or 500 yuan, whichever is more, unless the rules come to more.",
    ),
    Refusal.REPLACEMENT_NOT_ASKED: Sentence(
        422,
        "买家没有要求补发，只能裁决退款或不退，没有改动。",
        "The buyer did not ask for a replacement; rule on the refund. Nothing was changed.",
    ),
    Refusal.STILL_SEALED: Sentence(
        409,
        "还有卡密没拆封，买家不用理由就能退，这时不能发起纠纷，没有改动。",
        "A key is still sealed and may be refunded for no reason, so no case can be opened. Nothing was changed.",
    ),
    Refusal.NOTHING_TO_REPLACE: Sentence(
        409,
        "没有拆封过的卡密，不用补发，没有改动。放款前没拆的可以直接全额退。",
        "No key was opened; nothing was changed. Before the release a sealed key is refunded at once.",
    ),
    Refusal.CLAIM_DAYS_OVER: Sentence(
        409,
        "钱已经付给商家，平台快办的售后期也过了。你依法的权利还在：可以在订单里请商家自愿退，"
        "也可以向 12315 或消协投诉，或者起诉。",
        "The money was released and the claim days are over. Your rights are not: ask the merchant in the order, "
        "complain to 12315, or sue.",
    ),
    Refusal.DEPOSIT_SHORT: Sentence(
        409,
        "店铺的保证金不够付这笔钱，没有动钱。商家先在「保证金」里交足，再来这一步。",
        "The shop's deposit does not cover this; no money moved. The merchant pays the deposit in first.",
    ),
    Refusal.RESERVE_SHORT: Sentence(
        409,
        "保证金和平台备付暂时不够付这笔钱，一分也没有动。决定还在，钱到了会自动再办。",
        "Deposit and reserve do not cover this yet; nothing was paid in part. The decision stands and is tried again.",
    ),
    Refusal.DEPOSIT_OUT_OF_RANGE: Sentence(
        422,
        "金额要在 1 元和 100 万元之间，退回时不能超过现有的保证金。没有动钱。",
        "The amount must lie between 1 and 1,000,000 yuan, and a return within the deposit; no money moved.",
    ),
    Refusal.DEPOSIT_BOUND: Sentence(
        409,
        "还有托管中的订单、没过售后期的订单、没结束的纠纷或欠平台的钱，保证金现在不能退。钱还在托管方。",
        "Orders held or inside their claim days, open cases or a debt need the deposit. It stays at the custodian.",
    ),
    Refusal.NOTHING_TO_REDIRECT: Sentence(
        409,
        "这个订单没有退不出去的钱，没有改动。",
        "No refund of this order was refused; nothing was changed.",
    ),
    Refusal.FILE_TOO_LARGE: Sentence(
        413,
        "文件太大，没有收下，其他内容还在。每个文件：图片 25 MB、PDF 50 MB、文本 5 MB、录音 100 MB、视频 1 GB 以内。",
        "The file is too large and was not taken; the rest is kept. Each may have: pictures 25 MB, PDF 50 MB, text "
        "5 MB, sound 100 MB, video 1 GB.",
    ),
    Refusal.FILE_TYPE_UNKNOWN: Sentence(
        415,
        "只收图片（PNG、JPEG、WebP、GIF、AVIF）、视频（MP4、MOV、WebM）、录音（MP3、M4A、OGG）、PDF 和纯文本，"
        "这个文件没有收下。",
        "Only pictures (PNG, JPEG, WebP, GIF, AVIF), video (MP4, MOV, WebM), sound (MP3, M4A, OGG), PDF and plain text "
        "are taken; this file was not.",
    ),
    Refusal.FILE_NAME_MISLEADS: Sentence(
        415,
        "文件名的后缀和内容不是一回事，没有收下。请把后缀改对，或者重新导出再交。",
        "The name's ending is not what the file is, so it was not taken. Correct the ending or export it again.",
    ),
    Refusal.FILE_EMPTY: Sentence(422, "文件是空的，没有收下。", "The file is empty and was not taken."),
    Refusal.FILE_UNREADABLE: Sentence(
        422, "文件打不开，可能损坏了，没有收下。", "The file cannot be read and was not taken."
    ),
    Refusal.FILE_ALREADY_THERE: Sentence(409, "这个文件已经交过了。", "This file is already there."),
    Refusal.TOO_MANY_FILES: Sentence(
        409,
        "你这一方在这个订单里交的已到上限（40 个文件、共 2 GB），没有收下。没传完的可以取消来腾出位置。",
        "Your side has handed in as much as an order takes (40 files, 2 GB in all); it was not taken. Cancelling "
        "unfinished uploads makes room.",
    ),
    Refusal.FILES_BEFORE_PAYMENT: Sentence(
        409,
        "订单付款之前，每一方一共只收 10 MB，没有收下。付款以后可以再交。",
        "Until an order is paid it takes 10 MB from each side; it was not taken. Hand it in after payment.",
    ),
    Refusal.FILES_TODAY_FULL: Sentence(
        429,
        "你 24 小时里交的已到上限（所有订单共 4 GB，没传完的也算），没有收下。可以取消没传完的，或明天再交。",
        "You have handed in as much as 24 hours take (4 GB over all orders, with what is under way); it was not taken. "
        "Cancel unfinished uploads or go on tomorrow.",
    ),
    Refusal.FILE_ERASED: Sentence(
        410,
        "这份证据的内容已经删除，只留下编号和哈希。",
        "The content of this evidence was erased; its number and hash remain.",
    ),
    Refusal.EVIDENCE_ON_HOLD: Sentence(
        409,
        "这个订单的证据被依法保留，没有删除。",
        "The evidence of this order is under legal hold; nothing was erased.",
    ),
    Refusal.UPLOAD_ENDED: Sentence(
        409,
        "这次上传已经结束，没有再收。",
        "This upload has ended; nothing more was taken.",
    ),
    Refusal.CHUNK_DAMAGED: Sentence(
        422,
        "这一段和它的哈希或大小对不上，没有收下。请重传这一段。",
        "This chunk does not have the digest or size it should have and was not taken. Send it again.",
    ),
    Refusal.CHUNK_CONTRADICTS: Sentence(
        409,
        "这一段已经收过，内容和这次的不同。先收到的不变；要交另一个文件，请重新上传。",
        "This chunk is there with other content. What came first stays; begin a new upload for another file.",
    ),
    Refusal.CHUNK_TOO_EARLY: Sentence(
        409,
        "录制要一段接一段，前一段还没有收到，这一段没有收下。请先传前一段。",
        "A recording comes chunk by chunk; the one before is missing, so this one was not taken. Send that one first.",
    ),
    Refusal.CHUNKS_MISSING: Sentence(
        409,
        "还有几段没有收到，没有完成。已收到的都在，补上后再完成。",
        "Some chunks are missing, so it was not finished. What came is kept; send the rest and finish again.",
    ),
    Refusal.FILE_NOT_TEXT: Sentence(
        415,
        "这不是文本文件，没有导入。表格请另存为 CSV（UTF-8）再导入。",
        "This is not a text file and nothing was imported. Save a spreadsheet as CSV (UTF-8) first.",
    ),
    Refusal.COLUMNS_UNKNOWN: Sentence(
        422,
        "没有认出卡密在哪一列，没有导入。第一行写列名：卡密、兑换码、激活码、序列号、key 或 code；"
        "分两列的写 卡号、密码，或 账号、密码（card、pin，account、password 也行）。一整行是一个卡密的，存成 .txt。",
        "No column of card keys was recognised and nothing was imported. Name the columns in the first line: key, "
        "code, cdkey, 卡密, 兑换码, 激活码, 序列号; two columns: card and pin, account and password, 卡号 and 密码. "
        "Where a whole line is one key, name the file .txt.",
    ),
    Refusal.IMPORT_RUNNING: Sentence(
        409, "上一次导入还在进行，等它完成再导入。", "The previous import is still running; wait for it."
    ),
    Refusal.SIGNATURE_WRONG: Sentence(
        400, "签名不对，通知没有收下。", "The signature is wrong; the notice was not taken."
    ),
    Refusal.NOTICE_MALFORMED: Sentence(
        422,
        "签名是对的，但通知的内容不合格式，没有入账。",
        "The signature is right but the notice is malformed; nothing was booked.",
    ),
    Refusal.NOTICE_CONTRADICTS: Sentence(
        409,
        "同一笔交易的通知前后不一致，没有入账。",
        "This notice contradicts an earlier one of the same payment; nothing was booked.",
    ),
    Refusal.MAIL_OFF: Sentence(
        409,
        "这个站没有开邮件，什么也没有改动。消息都在站内的「消息」里。",
        "This site sends no mail; nothing was changed. Everything is told in the messages on the site.",
    ),
    Refusal.CUSTODIAN_UNREACHABLE: Sentence(
        503,
        "托管方暂时连不上，钱没有动，会自动重试。",
        "The custodian cannot be reached; no money moved and it is retried.",
    ),
    Refusal.MAIL_UNREACHABLE: Sentence(
        503,
        "邮件现在发不出去，没有改动。过几分钟再试。",
        "Mail cannot be sent just now and nothing was changed. Try again in a few minutes.",
    ),
    Refusal.CODE_UNREACHABLE: Sentence(
        503, "短信现在发不出去，过几分钟再试。", "Text messages cannot be sent now. Try again in a few minutes."
    ),
    Refusal.STORAGE_FULL: Sentence(
        503,
        "平台的存储满了，这一步没有完成，钱没有动。请稍后再试。",
        "The platform's storage is full; nothing was done and no money moved. Try later.",
    ),
    Refusal.DATABASE_UNAVAILABLE: Sentence(
        503,
        "数据库暂时连不上，这一步没有完成，钱没有动。请稍后再试。",
        "The database is down; nothing was done and no money moved. Try again soon.",
    ),
    Refusal.ALREADY_RULED: Sentence(
        409,
        "这件纠纷已经有裁决了，没有改动。请看最新的进度。",
        "This case has been ruled on; nothing was changed. Look at where it stands now.",
    ),
    Refusal.ROUTED_OUT: Sentence(
        409,
        "这件已转有关部门，钱不动，只能由人裁决，没有改动。",
        "This case was handed to an authority; the money waits for a person's ruling. Nothing was changed.",
    ),
    Refusal.NOT_ROUTED_OUT: Sentence(
        409,
        "按规则推出的结果不是转有关部门，没有改动。先把有关的事实记下来。",
        "The rules do not hand this case to an authority; put down the facts that do. Nothing was changed.",
    ),
    Refusal.RECUSED: Sentence(
        403,
        "你参与过这件纠纷，要回避，没有改动。",
        "You took part in this case before and must stand aside; nothing was changed.",
    ),
    Refusal.FIRST_VIEW_NEEDED: Sentence(
        409,
        "请先写下你的初步意见，再看建议、再裁决；没轮到你的，等纠纷结束再看。",
        "Put down your first view before you see the suggestion or rule; if it is not your turn, wait for the end.",
    ),
    Refusal.FIRST_VIEW_GIVEN: Sentence(
        409,
        "初步意见已经写下，不能再改。",
        "Your first view is on record and cannot be changed.",
    ),
    Refusal.ALREADY_VOTED: Sentence(
        409,
        "你已经投过票，没有改动。",
        "You have voted already; nothing was changed.",
    ),
    Refusal.UNDO_OVER: Sentence(
        409,
        "提交后只有 10 秒能撤回，现在没有可以撤回的裁决，没有改动。",
        "A ruling can be taken back for ten seconds; there is none to take back now. Nothing was changed.",
    ),
    Refusal.QUESTION_ANSWERED: Sentence(
        409,
        "这个问题已经答过，没有改动。",
        "This question has been answered; nothing was changed.",
    ),
    Refusal.TOO_MANY_QUESTIONS: Sentence(
        409,
        "这件纠纷问得够多了，没有发出。",
        "Enough questions were asked in this case; this one was not sent.",
    ),
    Refusal.DEMAND_CHANGED: Sentence(
        409,
        "能退的金额在你看过以后变了，没有办。请打开这件再看一眼。",
        "What would be refunded has changed since you read it; nothing was done. Open the case and look again.",
    ),
    Refusal.WEBHOOK_ROTATING: Sentence(
        409,
        "旧密钥还在用，没有再换。先停用旧密钥，或者等它到期。",
        "The secret before this one still signs; nothing was changed. End it first, or wait until it ends.",
    ),
    Refusal.WEBHOOK_OFF: Sentence(
        409,
        "这个地址停用了，没有发出。先开启。",
        "This endpoint is turned off; nothing was sent. Turn it on first.",
    ),
    Refusal.SAID_ENOUGH: Sentence(
        429,
        "这一单 24 小时里你已经写了很多条，这条没有发出。在处理纠纷的，客服会看一眼；材料照常交，方案照常答复。",
        "You have written a great deal in this order within 24 hours; this was not sent. In a case, staff will look. "
        "Files and answers to offers are taken as ever.",
    ),
    Refusal.OFFERS_FULL: Sentence(
        409,
        "这件纠纷里你已经提过 20 次方案，这次没有提出。可以接受或者拒绝对方的方案，或者请客服处理。",
        "You have made 20 offers in this case; this one was not made. Accept or refuse the other side's, or ask staff.",
    ),
    Refusal.HELP_CASE_CHANGED: Sentence(
        409,
        "这件维权刚在别处改过，这里的没有保存。",
        "This case was saved elsewhere meanwhile; what stands here was not saved.",
    ),
    Refusal.HELP_CASES_FULL: Sentence(
        409,
        "最多保存 20 件维权，没有保存。先删掉不要的。",
        "At most 20 cases are kept; this one was not saved. Delete one first.",
    ),
    Refusal.HELP_CASE_TOO_LARGE: Sentence(
        413, "内容太多，没有保存。聊天和条款只留要紧的部分。", "This is too much; it was not saved."
    ),
    Refusal.HELP_FILES_FULL: Sentence(
        409,
        "放不下：一个文件最大 200 MB，一件 40 个、共 400 MB，一个人共 1 GB。没有收下。",
        "There is no room (200 MB a file, 40 files and 400 MB a case, 1 GB a person); it was not taken.",
    ),
}
