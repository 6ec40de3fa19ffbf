package fraudstream.contract;

/** Which field breaks its rule, and how. */
record Problem(String field, String explanation) {
    /** The first, in the contract's order, of the problems that an object's fields have; null for none. */
    static Problem first(Fields fields, Problem[] problems, boolean[] given) {
        for (int position = 0; position < problems.length; position++) {
            if (problems[position] != null) {
                return problems[position];
            }
            Field field = fields.all[position];
            if (field.required && !given[position]) {
                return new Problem(field.name, "missing, " + field.expected);
            }
        }
        return null;
    }
}
