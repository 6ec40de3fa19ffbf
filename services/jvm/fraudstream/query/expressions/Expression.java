package fraudstream.query.expressions;

/** What a query computes for a row. Throws {@code QueryStopped} where the run must end. */
public interface Expression {
    /** A Long, Double, Boolean, String, Datetime, Record or List, or null for NULL and for an unknown truth. */
    Object value(Scope scope);
}
