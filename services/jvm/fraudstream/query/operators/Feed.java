package fraudstream.query.operators;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** How a node reads another: rows of a node with a smaller skew wait until their moment comes. */
public final class Feed<T> implements Stateful {
    private final Node<T> node;
    private final long delay;
    private final ArrayDeque<Held<T>> held = new ArrayDeque<>();

    private record Held<T>(long moment, List<T> rows) {
    }

    /** A feed of a node whose skew is {@code skew}. */
    public Feed(Node<T> node, long skew) {
        this.node = node;
        delay = skew - node.skew;
    }

    /** The rows of the reader's moment. To be called once at each turn of the engine's clock. */
    public List<T> take(long moment) {
        if (delay == 0) {
            return node.rows;
        }
        if (!node.rows.isEmpty()) {
            held.add(new Held<>(moment + delay, new ArrayList<>(node.rows)));
        }
        if (!held.isEmpty() && held.peek().moment == moment) {
            return held.poll().rows;
        }
        return List.of();
    }

    /** The moment of the first rows that wait. */
    public long next() {
        return held.isEmpty() ? Node.NEVER : held.peek().moment;
    }

    @Override
    public void save(StateWriter to) {
        to.each(held, one -> {
            to.number(one.moment);
            to.each(one.rows, row -> Joined.save(to, row));
        });
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> {
            Held<T> one = new Held<>(from.number(), new ArrayList<>());
            from.each(() -> one.rows.add(Joined.load(from)));
            held.add(one);
        });
    }
}
