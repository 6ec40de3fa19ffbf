package fraudstream.query.engine;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.matching.Match;
import fraudstream.query.operators.Feed;
import fraudstream.query.operators.Guard;
import fraudstream.query.operators.Later;
import fraudstream.query.operators.Node;
import fraudstream.query.operators.Read;
import fraudstream.query.operators.References;
import fraudstream.query.operators.Union;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The nodes of a plan, sources before those who read them. */
final class Network {
    final List<Node<?>> nodes = new ArrayList<>();
    /** The nodes that read an input, by its name in lower case. */
    final Map<String, List<Read>> reads = new HashMap<>();
    /** Reference inputs, by their names in lower case. */
    final Map<String, References> references = new HashMap<>();
    final List<Result> results = new ArrayList<>();
    final Guard guard = new Guard();
    final JsonNode plan;
    final UserFunctions functions;
    private final List<Node<Record>> steps = new ArrayList<>();

    /** The node whose rows go to an output. */
    record Result(String output, Node<Record> node) {
    }

    /** Throws {@link PlanRefused}. */
    Network(JsonNode plan, UserFunctions functions) {
        this.plan = plan;
        this.functions = functions;
        for (JsonNode input : plan.path("inputs")) {
            if (input.path("kind").asText().equals("reference")) {
                references.put(lower(input.get("name").asText()), new References());
            }
        }
        for (JsonNode step : plan.get("steps")) {
            Node<Record> node = node(step);
            nodes.add(node);
            steps.add(node);
        }
        for (JsonNode output : plan.get("outputs")) {
            results.add(new Result(output.get("name").asText(), steps.get(output.get("step").asInt())));
        }
    }

    static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    Node<Record> step(JsonNode place) {
        return steps.get(place.asInt());
    }

    References reference(String input) {
        return references.computeIfAbsent(lower(input), one -> new References());
    }

    private Node<Record> node(JsonNode step) {
        String operator = step.get("op").asText();
        return switch (operator) {
            case "read" -> {
                Read read = new Read();
                reads.computeIfAbsent(lower(step.get("input").asText()), one -> new ArrayList<>()).add(read);
                yield read;
            }
            case "union" -> union(step.get("steps"));
            case "select", "aggregate" -> new Step(this, step).node();
            case "match" -> match(step);
            default -> throw new PlanRefused(
                "This engine has no operator " + operator + ".", step.path("pos").path(0).asInt(),
                step.path("pos").path(1).asInt()
            );
        };
    }

    private Node<Record> match(JsonNode step) {
        Node<Record> source = step(step.get("step"));
        Later<Record> matches = new Later<>(source.skew + step.get("limit").asLong() - 1);
        nodes.add(new Match(step, functions, new Feed<>(source, source.skew), matches, guard, source.skew));
        return matches;
    }

    private Node<Record> union(JsonNode places) {
        long skew = 0;
        for (JsonNode place : places) {
            skew = Math.max(skew, step(place).skew);
        }
        List<Feed<Record>> feeds = new ArrayList<>();
        for (JsonNode place : places) {
            feeds.add(new Feed<>(step(place), skew));
        }
        return new Union(feeds, skew);
    }
}
