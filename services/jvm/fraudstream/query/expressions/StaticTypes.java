package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;

/** What a plan's tree tells about types before any row is seen. */
final class StaticTypes {
    private static final Set<String> ARITHMETIC = Set.of("+", "-", "*", "/", "%", "neg");
    private static final Set<String> FLOAT_FUNCTIONS = Set.of("exp", "sqrt", "square", "st_distance");
    private static final Set<String> TYPE_OF_ARGUMENT = Set.of("abs", "ceiling", "floor", "sign", "power", "round");

    private StaticTypes() {
    }

    /** Whether its values are floats or NULL for certain. */
    static boolean isFloat(JsonNode node) {
        switch (node.path("e").asText()) {
            case "const":
                return "float".equals(node.path("type").asText());
            case "cast":
                return "float".equals(node.path("to").asText());
            case "op":
                return ARITHMETIC.contains(node.path("op").asText()) && isAnyFloat(node.path("args"));
            case "call":
                String name = node.path("f").asText();
                return FLOAT_FUNCTIONS.contains(name)
                    || TYPE_OF_ARGUMENT.contains(name) && isFloat(node.path("args").path(0));
            case "case":
                return isCaseOfFloats(node);
            default:
                return false;
        }
    }

    private static boolean isAnyFloat(JsonNode nodes) {
        boolean isAny = false;
        for (JsonNode node : nodes) {
            isAny |= isFloat(node);
        }
        return isAny;
    }

    private static boolean isCaseOfFloats(JsonNode node) {
        boolean isFloat = isFloat(node.path("else"));
        for (JsonNode when : node.path("whens")) {
            isFloat &= isFloat(when.path(1));
        }
        return isFloat;
    }
}
