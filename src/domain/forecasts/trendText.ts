/** Says a span of time the way people do. */

/** "20 minutes", "5 hours", "3 days": minutes below an hour, hours below two days, then days; never negative. */
export function durationText(hours: number): string {
  const minutes = Math.round(Math.max(0, hours) * 60);
  if (minutes < 60) return count(minutes, 'minute');
  if (Math.round(hours) < 48) return count(Math.round(hours), 'hour');
  return count(Math.round(hours / 24), 'day');
}

function count(amount: number, unit: string): string {
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}
