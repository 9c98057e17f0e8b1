/**
 * Loaded before a program (`node --import`), moves its wall clock by what the file CHAOS_CLOCK_FILE says in milliseconds, and
 * follows the file while the program runs. The machine's clock stays as it is.
 */
import { readFileSync } from 'node:fs';

const file = process.env.CHAOS_CLOCK_FILE ?? '';
const RealDate = Date;
const real = RealDate.now.bind(RealDate);
let shiftMs = 0;

function look(): void {
  try {
    shiftMs = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    // Not written yet: the clock is right.
  }
}
look();
setInterval(look, 100).unref();

const now = () => real() + shiftMs;
const Shifted = new Proxy(RealDate, {
  construct: (target, given, made) => Reflect.construct(target, given.length > 0 ? given : [now()], made),
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
RealDate.prototype.constructor = Shifted;
globalThis.Date = Shifted;
