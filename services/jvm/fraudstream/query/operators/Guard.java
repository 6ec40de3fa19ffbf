package fraudstream.query.operators;

import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;

/** What becomes of a row on which an expression fails: the query stops, unless somebody sets such rows aside. */
public final class Guard {
    private Aside aside;

    /** Takes rows out of a query, which goes on without them. */
    public interface Aside {
        /** The row of the step that failed; of a window's result what it was grouped by, and when the window ended. */
        void take(QueryStopped error, Record row);
    }

    /** Rows that fail are set aside from now on. */
    public void use(Aside taker) {
        aside = taker;
    }

    /** Throws the error where nobody takes the row. */
    public void failed(QueryStopped error, Record row) {
        if (aside == null) {
            throw error;
        }
        aside.take(error, row);
    }
}
