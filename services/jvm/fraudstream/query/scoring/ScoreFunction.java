package fraudstream.query.scoring;

import fraudstream.contract.Contract;
import fraudstream.contract.Field;
import fraudstream.model.Decision;
import fraudstream.model.Ensemble;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Json;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Values;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;

/**
 * {@code udf.score(record)}: the champion's decision on a record that has the model's inputs, as the record
 * {@code {prediction, score, threshold, model_version, reasons}}. Serves one thread at a time.
 *
 * <p>An input is found by its name in the project, one inside an object also by its path. One that is NULL or not there
 * is missing to the model, as is a text that the contract does not list. One of another type stops the query.
 */
public final class ScoreFunction implements UserFunctions {
    private static final List<Object> NO_REASONS = List.of();

    private final Supplier<Ensemble> ensembles;
    private final Set<String> names = new HashSet<>();
    private final Field[] inputs;
    private final String[][] paths;
    private final int[] places;
    /** Of which records {@link #places} tells where the inputs are; null for none. */
    private Object shape;

    /** The ensemble is asked for at each call. {@code names} are those of the functions that are the model. */
    public ScoreFunction(Contract contract, Supplier<Ensemble> ensembles, Collection<String> names) {
        this.ensembles = ensembles;
        names.forEach(name -> this.names.add(name.toLowerCase(Locale.ROOT)));
        inputs = new Field[contract.features.length];
        paths = new String[inputs.length][];
        places = new int[inputs.length];
        for (int at = 0; at < inputs.length; at++) {
            inputs[at] = contract.slots[contract.features[at]];
            paths[at] = inputs[at].name.split("\\.");
        }
    }

    @Override
    public boolean has(String kind, String name) {
        return "udf".equals(kind) && names.contains(name.toLowerCase(Locale.ROOT));
    }

    @Override
    public Object call(String kind, String name, Object[] arguments) {
        String function = kind + "." + name;
        if (arguments.length != 1) {
            throw new QueryStopped(function + " takes one record with the model's inputs, not " + arguments.length
                + " arguments. Select the inputs in a step and give that: " + function + "(step).");
        }
        if (arguments[0] == null) {
            return null;
        }
        if (!(arguments[0] instanceof Record)) {
            throw new QueryStopped(function + " takes a record with the model's inputs, not "
                + Values.shown(arguments[0]) + ". Select the inputs in a step and give that: " + function + "(step).");
        }
        double[] row = row(function, (Record) arguments[0]);
        Ensemble ensemble = ensembles.get();
        Decision decision;
        try {
            decision = ensemble.decide(row);
        } catch (ArithmeticException error) {
            throw new QueryStopped(function + ": " + error.getMessage() + ".");
        }
        return record(decision, ensemble.threshold, ensemble.version);
    }

    /** A decision as the function's record. */
    public static Record record(Decision decision, double threshold, String version) {
        return Record.of(
            "prediction", (long) decision.prediction(), "score", decision.score(), "threshold", threshold,
            "model_version", version, "reasons", reasons(decision.reasons()));
    }

    private double[] row(String function, Record record) {
        if (shape == null || record.shape() != shape) {
            for (int at = 0; at < places.length; at++) {
                places[at] = record.find(inputs[at].name);
            }
            shape = record.shape();
        }
        double[] row = new double[inputs.length];
        for (int at = 0; at < row.length; at++) {
            Object value = places[at] >= 0 ? record.value(places[at]) : inside(record, paths[at]);
            row[at] = number(function, inputs[at], value);
        }
        return row;
    }

    private static Object inside(Record record, String[] path) {
        if (path.length == 1) {
            return null;
        }
        Object value = record;
        for (String name : path) {
            if (!(value instanceof Record)) {
                return null;
            }
            value = ((Record) value).get(name);
        }
        return value;
    }

    private static double number(String function, Field input, Object value) {
        if (value == null) {
            return Double.NaN;
        }
        if (input.isText()) {
            if (value instanceof String) {
                return input.number((String) value);
            }
            throw new QueryStopped(
                function + ": the model's input " + input.name + " is a text, not " + Values.shown(value) + ".");
        }
        if (value instanceof Long || value instanceof Double) {
            return ((Number) value).doubleValue();
        }
        if (value instanceof Boolean) {
            return (Boolean) value ? 1 : 0;
        }
        throw new QueryStopped(
            function + ": the model's input " + input.name + " is a number, not " + Values.shown(value) + ".");
    }

    private static Object reasons(String json) {
        if (json.length() <= 2) {
            return NO_REASONS;
        }
        try {
            return Json.read(json);
        } catch (BadEvent error) {
            throw new IllegalStateException("The model's reasons are no JSON: " + json, error);
        }
    }
}
