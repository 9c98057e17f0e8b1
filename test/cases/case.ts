/** What a case is: something seen in the field, what is right, and what the product makes of it. */

/** How a case came out. */
export interface Outcome {
  /** What the product says, one line. */
  seen: string;
  /** What is wrong with it; empty when it is right. */
  wrong: string[];
}

/** One line of the table: `npm run cases` prints it, and a test is named after it. */
export interface Case {
  /** The line of the field notes that it stands for. */
  quote: string;
  /** What was given: a page, a delivery, a snapshot. */
  given: string;
  /** What is right, in words. */
  right: string;
  run(): Promise<Outcome>;
}
