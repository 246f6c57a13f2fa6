"""The Chinese words of letters. No key, no phone and no password ever stands in one."""

from typing import Final

from kabao.notices.model import Channel, Sender, Topic

TOPICS: Final = {
    Topic.ORDERS: "订单",
    Topic.CASES: "案件",
    Topic.RECEIPTS: "证据回执",
    Topic.REMINDERS: "时限提醒",
    Topic.DIGEST: "工作台日报",
}
QUIET_WRONG: Final = {
    "zone": "选一个列出来的时区。",
    "from": "开始写成 22:00 这样。",
    "to": "结束写成 08:00 这样，和开始不同，最长 12 小时。",
}
NO_SUBJECT: Final = "卡保的通知"
SHORT_FAILED: Final = {
    Channel.SMS: "短信发不到你的手机号，已停发。在「通知设置」里可以再打开",
    Channel.WECHAT: "微信通知找不到你，已停发。先用登录的手机号关注本站的公众号，再到「通知设置」打开",
}
ADDRESS_FAILED_SUBJECT: Final = "你的通知邮箱收不到信，已停发。请到「通知设置」换一个，或者重新确认"


def notice_text(subject: str, url: str) -> str:
    """Say a notice in a letter: what happened, and where to look."""
    end = "" if subject.endswith(("。", "！", "？", "…")) else "。"
    return f"{subject}{end}\n\n打开看：{url}\n"


def footer(sender: Sender, topic: Topic, unsubscribe_url: str) -> str:
    """Say who writes, and how to have it stopped."""
    answers = "回复会送到平台的邮箱。" if sender.reply_to else "这封信是自动发的，回复没有人看。"
    return (
        f"\n--\n卡保 {sender.origin}\n{answers}\n"
        f"不再收「{TOPICS[topic]}」的邮件：{unsubscribe_url}\n"
        f"通知设置：{sender.origin}/me/notices\n"
    )


def phone_code(code: str, minutes: int) -> str:
    """Give the code that signs in, by phone."""
    return f"验证码 {code}，{minutes} 分钟内有效，用来登录卡保。不要告诉任何人。"


def code_subject() -> str:
    """Name the letter with a code; the code stays out of it, since subjects are shown on locked screens."""
    return "卡保：确认你的邮箱"


def code_text(code: str, minutes: int, origin: str) -> str:
    """Give the code that confirms an address, and say what to do where nobody asked for it."""
    return (
        f"验证码：{code}\n\n在「通知设置」里填上它，{minutes} 分钟内有效。\n\n"
        "如果不是你要的，不用理会，这个邮箱不会收到别的信。不要把验证码告诉任何人。\n"
        f"\n--\n卡保 {origin}\n"
    )
