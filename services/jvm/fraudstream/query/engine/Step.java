package fraudstream.query.engine;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.analytics.Analytics;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.operators.Apply;
import fraudstream.query.operators.Feed;
import fraudstream.query.operators.Intake;
import fraudstream.query.operators.Join;
import fraudstream.query.operators.Joined;
import fraudstream.query.operators.Later;
import fraudstream.query.operators.Node;
import fraudstream.query.operators.Projection;
import fraudstream.query.operators.ReferenceJoin;
import fraudstream.query.operators.References;
import fraudstream.query.operators.Select;
import fraudstream.query.operators.Stage;
import fraudstream.query.values.Record;
import fraudstream.query.windows.Aggregation;
import fraudstream.query.windows.Windows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;

/** Makes the nodes of one step: a join for each further stream, and the one that projects or groups. */
final class Step {
    private static final Projection.Star WHOLE =
        new Projection.Star(List.of(new Projection.Source(0, null, Projection.Columns.UNKNOWN)));

    private final Network network;
    private final UserFunctions functions;
    private final JsonNode step;
    private final JsonNode sources;
    private final Columns columns;
    // How the rows so far enter the next node of a given skew, and which stages they then pass.
    private LongFunction<Intake> intake;
    private List<UnaryOperator<Stage>> stages = new ArrayList<>();
    private long skew;
    // By source, how much later than its time the joined row's may be.
    private final long[] spread;
    private final Map<Integer, References> references = new HashMap<>();

    Step(Network network, JsonNode step) {
        this.network = network;
        this.step = step;
        functions = network.functions;
        sources = step.get("from");
        columns = new Columns(network.plan);
        spread = new long[sources.size()];
    }

    Node<Record> node() {
        Node<Record> first = network.step(sources.get(0).get("step"));
        Analytics analytics = new Analytics(
            step.path("analytics"), functions, expression -> columns.isText(expression, sources)
        );
        skew = first.skew;
        intake = of -> Intake.ofStep(new Feed<>(first, of), analytics, network.guard);
        for (int place = 1; place < sources.size(); place++) {
            add(place, sources.get(place));
        }
        Expression where = expression(step.path("where"));
        stages.add(next -> Stage.where(where, next));
        boolean distinct = step.path("distinct").asBoolean();
        Scope scope = new Scope(sources.size());
        Projection projection = projection(step.get("project"), false);
        if (step.get("op").asText().equals("select")) {
            return new Select(intake.apply(skew), scope, through(), projection, distinct, skew);
        }
        Aggregate[] aggregates = aggregates();
        return new Aggregation(
            intake.apply(skew), scope, through(),
            new Aggregation.Grouping(
                new ExpressionList(step.path("keys"), functions), aggregates,
                Windows.of(step.get("windows"), aggregates, functions)
            ),
            new Aggregation.Output(expression(step.path("having")), projection, distinct, network.guard), skew
        );
    }

    private UnaryOperator<Stage> through() {
        List<UnaryOperator<Stage>> passed = stages;
        stages = new ArrayList<>();
        return last -> {
            Stage first = last;
            for (int at = passed.size() - 1; at >= 0; at--) {
                first = passed.get(at).apply(first);
            }
            return first;
        };
    }

    private void add(int place, JsonNode source) {
        switch (source.get("kind").asText()) {
            case "reference" -> {
                References references = references(place, source);
                Join.Condition condition = Equalities.of(source.path("on"), place, functions);
                boolean outer = source.get("join").asText().equals("left");
                stages.add(
                    next -> new ReferenceJoin(references, condition, outer, place, sources.size(), next)
                );
            }
            case "apply" -> {
                Expression argument = Expressions.of(source.get("argument"), functions);
                boolean elements = source.get("function").asText().equals("elements");
                boolean outer = source.path("outer").asBoolean();
                JsonNode pos = source.has("pos") ? source.get("pos") : source.get("argument").path("pos");
                stages.add(next -> new Apply(
                    argument, elements, outer, place, pos.path(0).asInt(), pos.path(1).asInt(), next
                ));
            }
            default -> join(place, source);
        }
    }

    /** A reference input, or what a step selects from one. */
    private References references(int place, JsonNode source) {
        References input = network.reference(source.get("input").asText());
        if (!source.path("project").isArray()) {
            return input;
        }
        return references.computeIfAbsent(place, one -> new References(
            input, expression(source.path("where")), projection(source.get("project"), true)
        ));
    }

    private void join(int place, JsonNode source) {
        Node<Record> right = network.step(source.get("step"));
        int other = source.get("other").asInt();
        long high = source.get("high").asLong();
        Join.Bounds bounds = new Join.Bounds(
            place, other, source.get("low").asLong(), high, source.path("upper").asLong(), spread[other]
        );
        for (int earlier = 0; earlier < place; earlier++) {
            spread[earlier] += Math.max(0, high);
        }
        spread[place] = Math.max(0, bounds.spread() - bounds.low());
        long common = Math.max(skew, right.skew);
        boolean outer = source.get("join").asText().equals("left");
        Later<Joined> misses = outer ? new Later<>(common + bounds.skew()) : null;
        Join join = new Join(
            intake.apply(common), through(), new Feed<>(right, common), sources.size(),
            Equalities.of(source.path("on"), place, functions), bounds, misses, network.guard, common
        );
        network.nodes.add(join);
        if (misses != null) {
            network.nodes.add(misses);
        }
        Node<Joined> joined = misses == null ? join : misses;
        skew = joined.skew;
        intake = of -> Intake.ofJoin(new Feed<>(joined, of), network.guard);
    }

    private Aggregate[] aggregates() {
        Projection whole = new Projection(List.of(star(null)));
        JsonNode described = step.path("aggregates");
        Aggregate[] aggregates = new Aggregate[described.size()];
        for (int at = 0; at < aggregates.length; at++) {
            JsonNode argument = described.get(at).path("args").path(0);
            boolean text = columns.isText(argument, sources);
            aggregates[at] = Aggregate.of(described.get(at), functions, whole::of, text);
        }
        return aggregates;
    }

    /** {@code ofOne}: of rows of one source, whatever those of the step are. */
    private Projection projection(JsonNode described, boolean ofOne) {
        List<Projection.Item> items = new ArrayList<>();
        for (JsonNode item : described) {
            items.add(switch (item.get("kind").asText()) {
                case "star" -> ofOne ? WHOLE : star(item.path("sources").isArray() ? item.get("sources") : null);
                case "spread" -> new Projection.Spread(Expressions.of(item.get("expr"), functions));
                default -> new Projection.Column(
                    item.get("name").asText(), Expressions.of(item.get("expr"), functions)
                );
            });
        }
        return new Projection(items);
    }

    private Projection.Star star(JsonNode chosen) {
        List<Projection.Source> starred = new ArrayList<>();
        if (chosen == null) {
            for (int place = 0; place < sources.size(); place++) {
                boolean applied = sources.get(place).get("kind").asText().equals("apply");
                starred.add(source(place, applied ? sources.get(place).get("name").asText() : null));
            }
        } else {
            chosen.forEach(place -> starred.add(source(place.asInt(), null)));
        }
        return new Projection.Star(starred);
    }

    private Projection.Source source(int place, String name) {
        JsonNode source = sources.get(place);
        Projection.Columns missing = Projection.Columns.UNKNOWN;
        if (source.has("input")) {
            References known = references(place, source);
            missing = scope -> known.names(scope.time);
        } else if (source.has("step")) {
            List<String> names = columns.of(source.get("step").asInt());
            missing = scope -> names;
        }
        return new Projection.Source(place, name, missing);
    }

    private Expression expression(JsonNode described) {
        return described.isObject() ? Expressions.of(described, functions) : null;
    }
}
