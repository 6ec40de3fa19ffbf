package fraudstream.query.javascript;

import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/**
 * States of aggregates as texts: all their fields but methods, which main makes anew. JSON with a list around what it
 * has no form for. Objects of a script's own kinds and cycles cannot be kept, and stop the query.
 */
final class States {
    private static final String SAVE = """
        (function (state) {
            function kept(value, depth) {
                if (depth > 100) {
                    throw new Error('The state is nested too deeply to be kept.');
                }
                function inside(each) {
                    return kept(each, depth + 1);
                }
                if (value === null || typeof value === 'string' || typeof value === 'boolean') {
                    return value;
                }
                if (typeof value === 'number') {
                    return isFinite(value) && !(value === 0 && 1 / value < 0) ? value
                        : ['number', value === 0 ? '-0' : String(value)];
                }
                if (value === undefined) {
                    return ['undefined'];
                }
                if (Array.isArray(value)) {
                    return ['array', Array.from(value).map(inside)];
                }
                if (value instanceof Date) {
                    return ['date', kept(value.getTime())];
                }
                if (value instanceof Map || value instanceof Set) {
                    return [value instanceof Map ? 'map' : 'set', Array.from(value).map(inside)];
                }
                if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
                    throw new Error('The state has a field that cannot be kept: ' + String(value) + '.');
                }
                return ['object', Object.keys(value).map(function (name) { return [name, inside(value[name])]; })];
            }
            var fields = Object.keys(state).filter(function (name) { return typeof state[name] !== 'function'; });
            return JSON.stringify(fields.map(function (name) { return [name, kept(state[name], 0)]; }));
        })""";
    private static final String LOAD = """
        (function (state, saved) {
            function put(object, field) {
                object[field[0]] = made(field[1]);
                return object;
            }
            function made(value) {
                if (!Array.isArray(value)) {
                    return value;
                }
                switch (value[0]) {
                    case 'number': return Number(value[1]);
                    case 'undefined': return undefined;
                    case 'date': return new Date(made(value[1]));
                    case 'array': return value[1].map(made);
                    case 'map': return new Map(value[1].map(made));
                    case 'set': return new Set(value[1].map(made));
                    default: return value[1].reduce(put, {});
                }
            }
            Object.keys(state).forEach(function (name) {
                if (typeof state[name] !== 'function') {
                    delete state[name];
                }
            });
            JSON.parse(saved).reduce(put, state);
        })""";

    private final ScriptableObject scope;
    private final Function save;
    private final Function load;

    States(Context context, ScriptableObject scope) {
        this.scope = scope;
        save = (Function) context.evaluateString(scope, SAVE, "save", 1, null);
        load = (Function) context.evaluateString(scope, LOAD, "load", 1, null);
    }

    String saved(Context context, Scriptable state) {
        return Context.toString(save.call(context, scope, scope, new Object[] {state}));
    }

    void load(Context context, Scriptable state, String saved) {
        load.call(context, scope, scope, new Object[] {state, saved});
    }
}
