package fraudstream.query.aggregates;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.Comparator;
import java.util.function.Supplier;

/** One aggregate of a step: which sample a row gives, and the state that takes it. */
public final class Aggregate {
    private final Sampling sampling;
    private final Supplier<Accumulator> maker;
    private final Supplier<Accumulator> moving;
    private boolean merges = true;

    private interface Sampling {
        Object of(Scope scope);
    }

    private Aggregate(Sampling sampling, Supplier<Accumulator> maker) {
        this(sampling, maker, maker);
    }

    private Aggregate(Sampling sampling, Supplier<Accumulator> maker, Supplier<Accumulator> moving) {
        this.sampling = sampling;
        this.maker = maker;
        this.moving = moving;
    }

    /** Whether states can be put together. */
    public boolean merges() {
        return merges;
    }

    /** What a row adds, or null if it adds nothing. */
    public Object sample(Scope scope) {
        return sampling.of(scope);
    }

    public Accumulator make() {
        return maker.get();
    }

    /** A state that samples leave again. */
    Accumulator makeMoving() {
        return moving.get();
    }

    /**
     * An aggregate or an aggregate function of OVER, as the plan describes it. {@code text} says that the query makes
     * the argument a text. Throws {@link PlanRefused}.
     */
    public static Aggregate of(JsonNode described, UserFunctions functions, Sampled whole, boolean text) {
        ExpressionList arguments = new ExpressionList(described.path("args"), functions);
        Place place = Place.of(described);
        Aggregate made = switch (described.get("f").asText()) {
            case "count" -> new Aggregate(counted(arguments), Counts::new);
            case "sum" -> new Aggregate(arguments.get(0)::value, () -> new Sums(place, false));
            case "avg" -> new Aggregate(arguments.get(0)::value, () -> new Sums(place, true));
            case "min" -> extreme(arguments.get(0), place, text, true);
            case "max" -> extreme(arguments.get(0), place, text, false);
            case "stdev", "stdevp", "var", "varp" -> spread(described.get("f").asText(), arguments.get(0), place);
            case "percentile_cont", "percentile_disc" -> percentile(described, functions, place);
            case "collect" -> new Aggregate(valueOf(arguments, whole), Collected::new);
            case "topone" -> ordered(described, functions, valueOf(arguments, whole), 1, true);
            case "collecttop" ->
                ordered(described, functions, valueOf(arguments, whole), described.get("parameter").asInt(), false);
            case "uda" -> user(described, functions, arguments, place);
            default -> throw place.refused(described.get("f").asText() + " is not an aggregate of this engine.");
        };
        if (!described.path("distinct").asBoolean()) {
            return made;
        }
        Aggregate distinct = new Aggregate(made.sampling, () -> new Distinct(made.maker));
        distinct.merges = made.merges;
        return distinct;
    }

    /** The whole row of a step as a record. */
    public interface Sampled {
        Record of(Scope scope);
    }

    private static Sampling counted(ExpressionList arguments) {
        return arguments.size() == 0 ? scope -> Boolean.TRUE : arguments.get(0)::value;
    }

    private static Sampling valueOf(ExpressionList arguments, Sampled whole) {
        return arguments.size() == 0 ? whole::of : arguments.get(0)::value;
    }

    private static Aggregate extreme(Expression argument, Place place, boolean text, boolean least) {
        Comparator<Object> rising = text ? Values::compare : Extremes::byMoments;
        Comparator<Object> order = least ? rising.reversed() : rising;
        return new Aggregate(
            text ? argument::value : scope -> Extremes.sample(argument.value(scope), place), () -> new Extremes(order),
            () -> new Extremes.Moving(order)
        );
    }

    private static Aggregate spread(String name, Expression argument, Place place) {
        boolean population = name.endsWith("p");
        boolean root = name.startsWith("stdev");
        return new Aggregate(argument::value, () -> new Spread(place, population, root));
    }

    private static Aggregate percentile(JsonNode described, UserFunctions functions, Place place) {
        JsonNode by = described.get("order").get(0);
        Expression value = Expressions.of(by.get("by"), functions);
        boolean continuous = described.get("f").asText().equals("percentile_cont");
        double share = described.get("parameter").asDouble();
        boolean descending = by.path("descending").asBoolean();
        return new Aggregate(value::value, () -> new Percentile(place, share, continuous, descending));
    }

    private static Aggregate ordered(
        JsonNode described, UserFunctions functions, Sampling value, int most, boolean one
    ) {
        Ordered order = new Ordered(described.path("order"), functions);
        return new Aggregate(
            scope -> order.sample(scope, value.of(scope)), () -> new Ranked(order, most, one)
        );
    }

    private static Aggregate user(JsonNode described, UserFunctions functions, ExpressionList arguments, Place place) {
        String name = described.path("name").asText();
        if (!(functions instanceof UserAggregates)) {
            throw place.refused("uda." + name + " is not among the project's functions.");
        }
        Supplier<UserAggregates.State> states = ((UserAggregates) functions).aggregate(name);
        Aggregate made = new Aggregate(
            scope -> new Object[] {arguments.size() == 0 ? null : arguments.get(0).value(scope), scope.time},
            () -> new User(states.get())
        );
        made.merges = false;
        return made;
    }

    private record User(UserAggregates.State state) implements Accumulator {
        @Override
        public void add(Object sample) {
            Object[] pair = (Object[]) sample;
            state.accumulate(pair[0], (Long) pair[1]);
        }

        @Override
        public boolean remove(Object sample) {
            return false;
        }

        @Override
        public void merge(Accumulator later) {
            throw new IllegalStateException("The states of a project's own aggregate are not put together.");
        }

        @Override
        public Object result() {
            return state.result();
        }

        @Override
        public void save(StateWriter to) {
            to.value(state.save());
        }

        @Override
        public void load(StateReader from) {
            state.load(from.value());
        }
    }
}
