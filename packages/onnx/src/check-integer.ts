/** The one check that this package's options need. */
import { schemas } from '@fep-moe/core'

/** @throws FEP_BAD_ARGUMENT unless `value` is an integer in 1..most */
export function checkInteger(name: string, value: unknown, most = 2 ** 31): void {
  schemas.parse(schemas.integerFrom(1, most), value, name, 'FEP_BAD_ARGUMENT')
}
