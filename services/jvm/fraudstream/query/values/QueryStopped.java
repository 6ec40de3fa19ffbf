package fraudstream.query.values;

/** A run-time error of a query, which ends its run. Lines and columns begin at 1; 0 where no place is known. */
public final class QueryStopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public final int line;
    public final int column;

    public QueryStopped(String message) {
        this(message, 0, 0, null);
    }

    public QueryStopped(String message, int line, int column, Throwable cause) {
        super(message, cause);
        this.line = line;
        this.column = column;
    }

    /** The reason for which a record is rejected that the query would stop at. */
    public String reason() {
        return "query: " + getMessage() + (line > 0 ? " (line " + line + ", column " + column + ")" : "");
    }

    /** The same error in a function, which the message names; errors of its arguments have a place and stay. */
    public QueryStopped in(String function) {
        return line > 0 ? this : new QueryStopped(function + ": " + getMessage(), 0, 0, this);
    }

    /** The same error at a place, where it has none yet. */
    public QueryStopped at(int line, int column) {
        return this.line > 0 ? this : new QueryStopped(getMessage(), line, column, this);
    }
}
