package fraudstream.contract;

/** What a token of a JSON text is; of an object and of a list only the beginning is one. */
enum Token { BROKEN, TEXT, INTEGER, FRACTION, TRUTH, NULL, NOT_FINITE, OBJECT, LIST }
