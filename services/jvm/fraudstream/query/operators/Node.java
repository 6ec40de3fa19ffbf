package fraudstream.query.operators;

import fraudstream.query.state.Stateful;
import java.util.ArrayList;

/**
 * A part of a running query. The engine runs all nodes moment by moment, sources before those who read them, so that a
 * node always sees all rows of a moment at once.
 *
 * <p>A node's moments may lie behind the engine's clock by a fixed distance, its skew: a left join learns of a missing
 * match later than the time that the row is given.
 */
public abstract class Node<T> implements Stateful {
    /** The next moment of a node that waits for nothing. */
    public static final long NEVER = Long.MAX_VALUE;

    /** What the node gave at the present moment. */
    public final ArrayList<T> rows = new ArrayList<>();
    /** So many ticks behind the engine's clock are the node's moments. */
    public final long skew;

    protected Node(long skew) {
        this.skew = skew;
    }

    /** Fills {@link #rows}, which are empty, with those of the moment. */
    public abstract void run(long moment);

    /** The next moment at which the node has something to do even if no row comes. */
    public long next() {
        return NEVER;
    }

    /** The row that the node was at work on, for the report of an error; null if it does not know. */
    public Object current() {
        return null;
    }
}
