/** How a case ends early. */

/** The backend did something wrong. The message is for people; nothing matches on it. */
export class CaseFailure extends Error {
  override readonly name = 'CaseFailure'
}

/** The backend declared that it cannot run an operator of the case, and refused it as it must. */
export class DeclaredUnsupported extends Error {
  override readonly name = 'DeclaredUnsupported'
}

/** @throws CaseFailure unless the condition holds */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CaseFailure(message)
}
