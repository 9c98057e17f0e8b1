/** Lists in parts: which part is wanted, and a part with the number of all. */
export interface Page {
  limit: number;
  offset: number;
}

export interface Paged<T> {
  items: T[];
  total: number;
}
