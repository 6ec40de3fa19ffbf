package fraudstream.query.expressions;

import fraudstream.query.values.QueryStopped;

/** The functions that a project brings with it. */
public interface UserFunctions {
    /** None: each call stops the query. */
    UserFunctions NONE = (kind, name, arguments) -> {
        throw new QueryStopped(kind + "." + name + " is not among the project's functions.");
    };

    /** Whether there is a function {@code udf.name}, or an aggregate {@code uda.name}. */
    default boolean has(String kind, String name) {
        return true;
    }

    /** The result of {@code udf.name(…)}; kind is {@code udf}. Throws {@code QueryStopped}. */
    Object call(String kind, String name, Object[] arguments);
}
