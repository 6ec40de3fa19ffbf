package fraudstream.query.matching;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.operators.Feed;
import fraudstream.query.operators.Guard;
import fraudstream.query.operators.Later;
import fraudstream.query.operators.Node;
import fraudstream.query.operators.Projection;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Key;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * MATCH_RECOGNIZE. From each row on, the pattern takes as many rows as it can within the limit; a match has the time of
 * its last row, and is known when the limit has passed.
 */
public final class Match extends Node<Record> {
    private final Feed<Record> feed;
    private final Later<Record> matches;
    private final Guard guard;
    private final long limit;
    private final ExpressionList partition;
    private final Pattern pattern;
    private final Variable[] variables;
    private final Map<String, Expression> definitions = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final Projection measures;
    private final Scope scope = new Scope(1);
    private final Map<Key, ArrayList<Row>> rowsByKey = new HashMap<>();
    private final ArrayDeque<Start> starts = new ArrayDeque<>();

    private record Row(long time, Record record) {
    }

    private record Start(long end, Key key) {
    }

    private record Variable(String function, String name, Expression value) {
    }

    /** {@code matches} takes the rows; its skew is larger than this node's by the limit less one tick. */
    public Match(
        JsonNode described, UserFunctions functions, Feed<Record> feed, Later<Record> matches, Guard guard, long skew
    ) {
        super(skew);
        this.feed = feed;
        this.matches = matches;
        this.guard = guard;
        limit = described.get("limit").asLong();
        partition = new ExpressionList(described.path("partition"), functions);
        pattern = new Pattern(described.get("pattern"));
        variables = new Variable[described.path("variables").size()];
        for (int at = 0; at < variables.length; at++) {
            variables[at] = variable(described.get("variables").get(at), functions);
        }
        for (JsonNode definition : described.path("definitions")) {
            definitions.put(
                definition.get("name").asText(), Expressions.of(definition.get("condition"), functions)
            );
        }
        List<Projection.Item> items = new ArrayList<>();
        for (JsonNode measure : described.get("measures")) {
            items.add(new Projection.Column(
                measure.get("name").asText(), Expressions.of(measure.get("expr"), functions)
            ));
        }
        measures = new Projection(items);
    }

    private static Variable variable(JsonNode described, UserFunctions functions) {
        ObjectNode field = JsonNodeFactory.instance.objectNode().put("e", "field");
        field.putArray("sources").add(0);
        field.set("path", described.path("path"));
        boolean hasValue = described.path("path").size() > 0;
        return new Variable(
            described.get("f").asText(), described.path("name").textValue(),
            hasValue ? Expressions.of(field, functions) : null
        );
    }

    @Override
    public void run(long moment) {
        for (Record record : feed.take(moment)) {
            enter(new Row(moment, record));
            try {
                Key key = partition.key(scope);
                rowsByKey.computeIfAbsent(key, one -> new ArrayList<>()).add(new Row(moment, record));
                starts.add(new Start(moment + limit - 1, key));
            } catch (QueryStopped error) {
                guard.failed(error, record);
            }
        }
        while (!starts.isEmpty() && starts.peek().end <= moment) {
            Key key = starts.poll().key;
            ArrayList<Row> rows = rowsByKey.get(key);
            try {
                begin(rows);
            } catch (QueryStopped error) {
                guard.failed(error, rows.get(0).record);
            }
            rows.remove(0);
            if (rows.isEmpty()) {
                rowsByKey.remove(key);
            }
        }
    }

    private void begin(List<Row> rows) {
        int count = 1;
        while (count < rows.size() && rows.get(count).time - rows.get(0).time < limit) {
            count++;
        }
        Pattern.Taken taken = pattern.match(count, (before, row, name) -> {
            Expression condition = name == null ? null : definitions.get(name);
            if (condition == null) {
                return true;
            }
            see(new Pattern.Taken(before, row, name), rows);
            return Expressions.isTrue(condition.value(scope));
        });
        if (taken != null) {
            see(taken, rows);
            matches.add(scope.time, measures.of(scope));
        }
    }

    /** Puts the last row that was taken into the scope, and the values of the variables. */
    private void see(Pattern.Taken taken, List<Row> rows) {
        Object[] values = new Object[variables.length];
        for (int at = 0; at < values.length; at++) {
            values[at] = value(variables[at], taken, rows);
        }
        enter(rows.get(taken.row()));
        scope.aggregates = values;
    }

    private void enter(Row row) {
        scope.rows[0] = row.record;
        scope.times[0] = row.time;
        scope.time = row.time;
    }

    private Object value(Variable variable, Pattern.Taken taken, List<Row> rows) {
        if (variable.function.equals("classifier")) {
            List<Object> names = new ArrayList<>();
            for (Pattern.Taken one = taken; one != null; one = one.before()) {
                names.add(one.name());
            }
            Collections.reverse(names);
            return names;
        }
        Object found = null;
        for (Pattern.Taken one = taken; one != null; one = one.before()) {
            if (one.name() == null || !one.name().equalsIgnoreCase(variable.name)) {
                continue;
            }
            enter(rows.get(one.row()));
            Object value = variable.value.value(scope);
            switch (variable.function) {
                case "last" -> {
                    return value;
                }
                case "first" -> found = value;
                case "min" -> found = better(value, found, -1);
                default -> found = better(value, found, 1);
            }
        }
        return found;
    }

    private static Object better(Object value, Object found, int sign) {
        return found == null || value != null && sign * Values.compare(value, found) > 0 ? value : found;
    }

    @Override
    public long next() {
        return Math.min(feed.next(), starts.isEmpty() ? NEVER : starts.peek().end);
    }

    @Override
    public Object current() {
        return scope.rows[0];
    }

    @Override
    public void save(StateWriter to) {
        feed.save(to);
        to.number(rowsByKey.size());
        rowsByKey.forEach((key, rows) -> {
            to.key(key);
            to.each(rows, row -> {
                to.number(row.time);
                to.value(row.record);
            });
        });
        to.each(starts, start -> {
            to.number(start.end);
            to.key(start.key);
        });
    }

    @Override
    public void load(StateReader from) {
        feed.load(from);
        from.each(() -> {
            ArrayList<Row> rows = rowsByKey.computeIfAbsent(from.key(), key -> new ArrayList<>());
            from.each(() -> rows.add(new Row(from.number(), from.record())));
        });
        from.each(() -> starts.add(new Start(from.number(), from.key())));
    }
}
