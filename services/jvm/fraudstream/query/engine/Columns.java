package fraudstream.query.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The columns of a plan's steps, as far as the plan knows them. */
final class Columns {
    private final JsonNode plan;

    Columns(JsonNode plan) {
        this.plan = plan;
    }

    List<String> of(int step) {
        Set<String> names = new LinkedHashSet<>();
        collect(plan.get("steps").get(step), names);
        return List.copyOf(names);
    }

    /**
     * Whether an expression of a step with these sources gives texts because the query says so, by a CAST or a
     * function, and not because an event has one.
     */
    boolean isText(JsonNode expression, JsonNode sources) {
        switch (expression.path("e").asText()) {
            case "field" -> {
                JsonNode source = sources.path(expression.path("sources").path(0).asInt());
                return expression.path("path").size() == 1 && source.has("step")
                    && isText(source.get("step").asInt(), expression.get("path").get(0).asText());
            }
            case "cast" -> {
                return expression.get("to").asText().equals("nvarchar");
            }
            default -> {
                return !expression.path("e").asText().equals("member");
            }
        }
    }

    private boolean isText(int place, String column) {
        JsonNode step = plan.get("steps").get(place);
        if (step.get("op").asText().equals("union")) {
            return isText(step.get("steps").get(0).asInt(), column);
        }
        for (JsonNode item : step.path("project")) {
            if (item.path("name").asText().equalsIgnoreCase(column)) {
                return isText(item.get("expr"), step.path("from"));
            }
        }
        return false;
    }

    private void collect(JsonNode step, Set<String> names) {
        switch (step.get("op").asText()) {
            case "read" -> {
                for (JsonNode input : plan.path("inputs")) {
                    if (input.path("name").asText().equalsIgnoreCase(step.get("input").asText())) {
                        input.path("columns").forEach(column -> names.add(column.get("name").asText()));
                    }
                }
            }
            case "union" -> collect(plan.get("steps").get(step.get("steps").get(0).asInt()), names);
            default -> {
                for (JsonNode item : step.path("project")) {
                    if (item.path("kind").asText().equals("expr")) {
                        names.add(item.get("name").asText());
                    } else if (item.path("kind").asText().equals("star")) {
                        star(step, item.path("sources"), names);
                    }
                }
            }
        }
    }

    private void star(JsonNode step, JsonNode chosen, Set<String> names) {
        for (int place = 0; place < step.get("from").size(); place++) {
            JsonNode source = step.get("from").get(place);
            if (source.has("step") && (!chosen.isArray() || has(chosen, place))) {
                collect(plan.get("steps").get(source.get("step").asInt()), names);
            }
        }
    }

    private static boolean has(JsonNode places, int place) {
        for (JsonNode one : places) {
            if (one.asInt() == place) {
                return true;
            }
        }
        return false;
    }
}
