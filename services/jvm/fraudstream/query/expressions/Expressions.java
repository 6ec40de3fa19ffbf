package fraudstream.query.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.functions.Function;
import fraudstream.query.functions.Functions;
import fraudstream.query.functions.Implementation;
import fraudstream.query.values.Casts;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import java.util.Locale;
import java.util.Set;

/** Makes expressions of a plan's trees. What is made serves one thread at a time. */
public final class Expressions {
    private static final Set<String> TYPES =
        Set.of("bigint", "float", "nvarchar", "datetime", "bit", "record", "array");
    private final UserFunctions functions;

    private Expressions(UserFunctions functions) {
        this.functions = functions;
    }

    /** Throws {@link PlanRefused} for a node or a function that this engine does not have. */
    public static Expression of(JsonNode expression, UserFunctions functions) {
        return new Expressions(functions).made(expression);
    }

    /** Whether a condition holds; NULL does not. Stops the query where the value is no condition. */
    public static boolean isTrue(Object condition) {
        return Boolean.TRUE.equals(Logic.truth(condition));
    }

    private Expression made(JsonNode node) {
        if (node == null || !node.isObject()) {
            throw new PlanRefused("An expression of the plan is missing.", 0, 0);
        }
        switch (node.path("e").asText()) {
            case "const":
                return constant(node);
            case "field":
                return Fields.field(node);
            case "row":
                return Fields.row(node.get("source").asInt());
            case "time":
                return Fields.time(node);
            case "window":
                return scope -> scope.window;
            case "member":
                return Fields.member(node, made(node.get("of")));
            case "slot":
                return known(Fields.slot(node.path("kind").asText(), node.path("index").asInt()), node, "kind");
            case "op":
                return known(operation(node, node.path("op").asText(), arguments(node)), node, "op");
            default:
                return known(construct(node), node, "e");
        }
    }

    private Expression construct(JsonNode node) {
        boolean isNegated = node.path("negated").asBoolean();
        switch (node.path("e").asText()) {
            case "like":
                Expression[] texts = arguments(node);
                return Predicates.like(node, texts[0], texts[1], escape(node.path("escape")));
            case "in":
                return Predicates.in(arguments(node), isNegated);
            case "between":
                Expression[] values = arguments(node);
                return Predicates.between(values[0], values[1], values[2], isNegated);
            case "case":
                return cases(node);
            case "cast":
                return cast(node, node.path("to").asText(), node.path("try").asBoolean());
            case "call":
                return call(node, node.path("f").asText());
            case "udf":
                return userCall(node, node.path("kind").asText(), node.path("name").asText(), arguments(node));
            default:
                return null;
        }
    }

    private Expression[] arguments(JsonNode node) {
        JsonNode listed = node.path("args");
        Expression[] made = new Expression[listed.size()];
        for (int place = 0; place < made.length; place++) {
            made[place] = made(listed.get(place));
        }
        return made;
    }

    private static Expression known(Expression made, JsonNode node, String field) {
        if (made == null) {
            throw refused("This engine has no expression " + node.path(field) + ".", node);
        }
        return made;
    }

    private static PlanRefused refused(String message, JsonNode node) {
        return new PlanRefused(message, node.path("pos").path(0).asInt(), node.path("pos").path(1).asInt());
    }

    private static Expression constant(JsonNode node) {
        JsonNode value = node.path("value");
        Object made;
        switch (node.path("type").asText()) {
            case "null":
                made = null;
                break;
            case "bigint":
                made = value.asLong();
                break;
            case "float":
                made = value.asDouble();
                break;
            case "nvarchar":
                made = value.asText();
                break;
            case "bit":
                made = value.isBoolean() ? value.asBoolean() : value.asLong() != 0;
                break;
            case "datetime":
                made = new Datetime(value.asLong());
                break;
            default:
                throw refused("This engine has no constants of the type " + node.path("type") + ".", node);
        }
        Object constant = made;
        return scope -> constant;
    }

    private static Expression operation(JsonNode node, String operator, Expression[] arguments) {
        switch (operator) {
            case "and":
                return Logic.junction(node, arguments, Boolean.FALSE);
            case "or":
                return Logic.junction(node, arguments, Boolean.TRUE);
            case "not":
                return Logic.negation(node, arguments[0]);
            case "isnull":
                return scope -> arguments[0].value(scope) == null;
            case "isnotnull":
                return scope -> arguments[0].value(scope) != null;
            default:
                break;
        }
        if (arguments.length != 2) {
            return arguments.length == 1 ? Arithmetic.unary(node, operator, arguments[0]) : null;
        }
        Expression comparison = Predicates.comparison(operator, arguments[0], arguments[1]);
        return comparison != null ? comparison : Arithmetic.binary(node, operator, arguments[0], arguments[1]);
    }

    private Expression escape(JsonNode escape) {
        if (escape.isObject()) {
            return made(escape);
        }
        String text = escape.asText();
        return escape.isTextual() ? scope -> text : null;
    }

    private Expression cases(JsonNode node) {
        JsonNode whens = node.get("whens");
        Expression[] conditions = new Expression[whens.size()];
        Expression[] results = new Expression[whens.size()];
        for (int place = 0; place < conditions.length; place++) {
            conditions[place] = made(whens.get(place).get(0));
            results[place] = made(whens.get(place).get(1));
        }
        return Choice.cases(node, conditions, results, node.hasNonNull("else") ? made(node.get("else")) : null);
    }

    private Expression cast(JsonNode node, String type, boolean isTried) {
        Expression argument = made(node.get("arg"));
        if (!TYPES.contains(type)) {
            throw refused("There is no type " + type + ".", node);
        }
        if (isTried) {
            return scope -> Casts.tried(argument.value(scope), type);
        }
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                return Casts.cast(argument.value(scope), type);
            }
        };
    }

    private Expression call(JsonNode node, String name) {
        Expression[] arguments = arguments(node);
        if ("coalesce".equals(name)) {
            return Choice.coalesce(arguments);
        }
        Function function = Functions.named(name);
        if (function == null) {
            throw refused("This engine has no function " + name + ".", node);
        }
        if (arguments.length < function.least || arguments.length > function.most) {
            throw refused(function.name + " does not take " + arguments.length + " arguments.", node);
        }
        boolean takesNulls = function.takesNulls;
        String shown = name.toUpperCase(Locale.ROOT);
        Implementation implementation = function.implementation.get();
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                Object[] values = new Object[arguments.length];
                for (int place = 0; place < values.length; place++) {
                    Object value = arguments[place].value(scope);
                    if (value == null && !takesNulls) {
                        return null;
                    }
                    values[place] = value;
                }
                try {
                    return implementation.call(values);
                } catch (QueryStopped stopped) {
                    throw stopped.in(shown);
                }
            }
        };
    }

    private Expression userCall(JsonNode node, String kind, String name, Expression[] arguments) {
        if (!functions.has(kind, name)) {
            throw refused(kind + "." + name + " is not among the project's functions.", node);
        }
        return new Node(node) {
            @Override
            Object computed(Scope scope) {
                Object[] values = new Object[arguments.length];
                for (int place = 0; place < values.length; place++) {
                    values[place] = arguments[place].value(scope);
                }
                return functions.call(kind, name, values);
            }
        };
    }
}
