/* What was found, in the shape and with the words that `verify.py --json` uses. */

/** Something does not hold; the message is the sentence for people. */
export class Wrong extends Error {}

export const TITLES = {
  zip: '压缩包格式', manifest: '清单格式', signature: '清单签名', entries: '文件内容', verifier: '核验程序',
  keys: '公钥文件', records: '记录', items: '证据', proofs: '日志证明', checkpoint: '日志检查点', witnesses: '见证签名',
  timestamps: '时间戳',
};

const FAULTS_KEPT = 200;

/** What fails, and where: a word for programs, a sentence for people, the entry and the number of what it is. */
export const fault = (code, zh, entry = null, item = null, record = null) => ({ code, zh, entry, item, record });

export class Check {
  constructor(id) {
    this.id = id;
    this.state = 'skipped';
    this.zh = '前面的检查没有通过，无法核验';
    this.faults = [];
  }

  /** Set how the check ended; where there are faults it has failed, whatever is said here. */
  ends(zh, state = 'ok') {
    const count = this.faults.length;
    [this.state, this.zh] = count ? ['failed', `不通过，${count} 处`] : [state, zh];
  }

  /** Turn what is wrong within the step into a fault of this check. */
  async noting(code, entry, item, record, step) {
    try {
      await step();
    } catch (wrong) {
      if (!(wrong instanceof Wrong)) throw wrong;
      this.faults.push(fault(code, wrong.message, entry, item, record));
    }
  }
}

export class Report {
  constructor() {
    this.checks = Object.fromEntries(Object.keys(TITLES).map((id) => [id, new Check(id)]));
    this.refused = null;
    this.absent = [];
    this.notes = [];
    this.about = {};
    this.timestamps = [];
    this.cosignatures = [];
  }

  /** 0 everything holds, 1 something fails, 2 not a pack. */
  get exit() {
    if (this.refused !== null) return 2;
    return Object.values(this.checks).some(({ state }) => state === 'failed' || state === 'skipped') ? 1 : 0;
  }

  /** The report as plain values, which a worker can hand over. */
  plain() {
    const { refused, absent, notes, about, timestamps, cosignatures } = this;
    const checks = Object.values(this.checks).map(({ id, state, zh, faults }) => (
      { id, state, title: TITLES[id], zh, faults: faults.slice(0, FAULTS_KEPT), fault_count: faults.length }
    ));
    const shown = refused === null ? checks : [];
    return { exit: this.exit, refused, about, checks: shown, absent, notes, timestamps, cosignatures };
  }
}

/** Escape what could hide or turn the direction of writing; packs come from strangers. */
export const printable = (text) =>
  text.replace(/[\p{C}\p{Z}]/gu, (char) => (char === ' ' ? char : `\\u{${char.codePointAt(0).toString(16)}}`));
