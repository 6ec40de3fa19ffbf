package fraudstream.query.functions;

/** What a function computes of its arguments. Throws {@code QueryStopped} without a place. */
public interface Implementation {
    Object call(Object[] arguments);
}
