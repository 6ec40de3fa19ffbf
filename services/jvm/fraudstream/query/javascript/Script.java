package fraudstream.query.javascript;

import fraudstream.query.aggregates.UserAggregates;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/** One file of JavaScript, which has a function main. Its global variables are its own. */
final class Script {
    private static final String MAKER = "(function () { return new main(); })";

    private final String name;
    private final Sandbox sandbox;
    private final ScriptableObject scope;
    private final Function main;
    private Function maker;
    private States states;

    /** The name is that of the calls: {@code udf.score}. Throws {@link PlanRefused} if the text is no such script. */
    Script(String name, String text, Sandbox sandbox) {
        this.name = name;
        this.sandbox = sandbox;
        ScriptableObject[] made = new ScriptableObject[1];
        Object found;
        try {
            found = sandbox.run(name, context -> {
                made[0] = context.initSafeStandardObjects(null, false);
                context.evaluateString(made[0], Loops.withLet(text), name, 1, null);
                return ScriptableObject.getProperty(made[0], "main");
            });
        } catch (QueryStopped error) {
            throw new PlanRefused(error.getMessage(), 0, 0);
        }
        if (!(found instanceof Function)) {
            throw new PlanRefused(name + " has no function main.", 0, 0);
        }
        scope = made[0];
        main = (Function) found;
    }

    Object call(Object[] arguments) {
        return sandbox.run(name, context -> {
            Conversions conversions = new Conversions(context, scope);
            return conversions.fromScript(main.call(context, scope, scope, conversions.toScript(arguments)));
        });
    }

    /** A new state of the aggregate that main makes. */
    UserAggregates.State state() {
        Scriptable made = (Scriptable) sandbox.run(name, context -> {
            if (maker == null) {
                maker = (Function) context.evaluateString(scope, MAKER, name, 1, null);
            }
            Scriptable state = (Scriptable) maker.call(context, scope, scope, new Object[0]);
            method(context, state, "init", new Object[0]);
            return state;
        });
        return new State(made);
    }

    private Object method(Context context, Scriptable state, String method, Object[] arguments) {
        Object found = ScriptableObject.getProperty(state, method);
        if (!(found instanceof Function)) {
            throw new QueryStopped(name + " has no method " + method + ".");
        }
        return ((Function) found).call(context, scope, state, arguments);
    }

    private States states(Context context) {
        if (states == null) {
            states = new States(context, scope);
        }
        return states;
    }

    private final class State implements UserAggregates.State {
        private final Scriptable state;

        State(Scriptable state) {
            this.state = state;
        }

        @Override
        public void accumulate(Object value, long ticks) {
            sandbox.run(name, context -> {
                Object[] arguments = {value, new Datetime(ticks)};
                return method(context, state, "accumulate", new Conversions(context, scope).toScript(arguments));
            });
        }

        @Override
        public Object result() {
            return sandbox.run(name, context -> new Conversions(context, scope)
                .fromScript(method(context, state, "computeResult", new Object[0])));
        }

        @Override
        public Object save() {
            return sandbox.run(name, context -> states(context).saved(context, state));
        }

        @Override
        public void load(Object saved) {
            sandbox.run(name, context -> {
                states(context).load(context, state, (String) saved);
                return null;
            });
        }
    }
}
