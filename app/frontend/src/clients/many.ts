/** From so many clients on each has one line in place of two. */
export const MANY = 13;
/** From so many on each has a tile. */
export const HUNDREDS = 100;
