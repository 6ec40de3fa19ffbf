package fraudstream.query.engine;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.operators.Guard;
import fraudstream.query.operators.Node;
import fraudstream.query.operators.Read;
import fraudstream.query.operators.References;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.DataInput;
import java.io.DataOutput;
import java.util.List;

/**
 * A running query. Events come in the order of their times; events of one time, in the order of their arrival. Times
 * are ticks of 100 ns since 1970-01-01T00:00:00Z.
 *
 * <p>The results of a moment leave once it is over: when a later event comes, or when the watermark reaches it. So they
 * do not depend on when the watermark moves. One thread at a time may use an engine.
 */
public final class Engine {
    private static final long NEVER = Node.NEVER;

    private final Network network;
    private final Node<?>[] nodes;
    private final Output output;
    private long longestSkew;
    private long closed = Long.MIN_VALUE;
    // The moment of the events that wait in the nodes that read; NEVER if there are none.
    private long coming = NEVER;
    private Record failed;

    /**
     * An engine for a plan of version 1. Throws {@link PlanRefused} for what it does not have, and for calls of
     * functions that are not among the project's.
     */
    public Engine(JsonNode plan, UserFunctions functions, Output output) {
        if (plan.path("version").asInt() != 1) {
            throw new PlanRefused("This engine runs plans of version 1, not " + plan.path("version") + ".", 0, 0);
        }
        refuseCalls(plan.get("steps"), functions);
        network = new Network(plan, functions);
        nodes = network.nodes.toArray(Node<?>[]::new);
        for (Node<?> node : nodes) {
            longestSkew = Math.max(longestSkew, node.skew);
        }
        this.output = output;
    }

    private static void refuseCalls(JsonNode node, UserFunctions functions) {
        boolean isCall = node.path("e").asText().equals("udf") || node.path("f").asText().equals("uda");
        if (isCall) {
            String kind = node.path("kind").asText("uda");
            String name = node.path("name").asText();
            if (functions == UserFunctions.NONE || !functions.has(kind, name)) {
                throw new PlanRefused(
                    kind + "." + name + " is not among the project's functions.", node.path("pos").path(0).asInt(),
                    node.path("pos").path(1).asInt()
                );
            }
        }
        node.forEach(below -> refuseCalls(below, functions));
    }

    /** From now on a row on which an expression fails is taken aside, and the query goes on without it. */
    public void setAside(Guard.Aside taker) {
        network.guard.use(taker);
    }

    /** So many ticks at most does the time of a row that some step gives lie behind the events'. */
    public long skew() {
        return longestSkew;
    }

    /** The rows of a reference input from a time on; {@code Long.MIN_VALUE} for reference data that do not change. */
    public void reference(String input, long effectiveTicks, List<Record> rows) {
        References references = network.references.get(Network.lower(input));
        if (references != null) {
            references.add(effectiveTicks, rows);
        }
    }

    /**
     * An event of an input. Events of inputs that the query does not read are ignored. Throws {@link QueryStopped},
     * after which the engine is of no further use, and {@link IllegalStateException} for a time that is over.
     */
    public void push(String input, long ticks, Record event) {
        List<Read> reads = network.reads.get(Network.lower(input));
        if (reads == null) {
            return;
        }
        if (ticks <= closed || coming != NEVER && ticks < coming) {
            throw new IllegalStateException("An event of the tick " + ticks + " came after that moment was over.");
        }
        if (ticks != coming) {
            run(ticks - 1);
            coming = ticks;
        }
        for (Read read : reads) {
            read.add(event);
        }
    }

    /**
     * An event by itself, of any time: for plans whose steps keep nothing from row to row. Throws {@link QueryStopped},
     * after which such an engine can go on.
     */
    public void alone(String input, long ticks, Record event) {
        List<Read> reads = network.reads.get(Network.lower(input));
        if (reads != null) {
            for (Read read : reads) {
                read.add(event);
            }
            try {
                turn(ticks);
            } catch (RuntimeException | StackOverflowError error) {
                // Where it has several readers, some of them still hold the event.
                reads.forEach(read -> read.run(ticks));
                throw error;
            }
        }
    }

    /** The watermark: no event of this time or an earlier one will come any more. */
    public void advance(long ticks) {
        run(ticks);
    }

    /** The end of all inputs: everything that is still open is closed. */
    public void finish() {
        run(NEVER - 1);
    }

    /** The first row of the step that stopped the query, or null. */
    public Record failed() {
        return failed;
    }

    /** Writes all that the engine knows but reference data. Throws {@code UncheckedIOException}. */
    public void save(DataOutput out) {
        StateWriter to = new StateWriter(out);
        to.number(closed);
        to.number(coming);
        for (Node<?> node : nodes) {
            node.save(to);
        }
    }

    /** Goes on where another engine of the same plan has saved. Throws {@code UncheckedIOException}. */
    public void load(DataInput in) {
        StateReader from = new StateReader(in);
        closed = from.number();
        coming = from.number();
        for (Node<?> node : nodes) {
            node.load(from);
        }
    }

    private void run(long until) {
        for (long clock = next(); clock <= until; clock = next()) {
            turn(clock);
            closed = clock;
        }
        closed = Math.max(closed, until);
        if (network.references.isEmpty()) {
            return;
        }
        for (References references : network.references.values()) {
            references.forget(closed - longestSkew);
        }
    }

    private long next() {
        long next = coming;
        for (Node<?> node : nodes) {
            long own = node.next();
            if (own != NEVER) {
                next = Math.min(next, own + node.skew);
            }
        }
        return next;
    }

    private void turn(long clock) {
        coming = NEVER;
        for (Node<?> node : nodes) {
            if (!node.rows.isEmpty()) {
                node.rows.clear();
            }
            try {
                node.run(clock - node.skew);
            } catch (RuntimeException error) {
                failed = (Record) node.current();
                throw error;
            }
        }
        for (Network.Result result : network.results) {
            for (Record row : result.node().rows) {
                output.take(result.output(), clock - result.node().skew, row);
            }
        }
    }
}
