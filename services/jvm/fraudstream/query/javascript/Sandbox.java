package fraudstream.query.javascript;

import com.sun.management.ThreadMXBean;
import fraudstream.query.values.QueryStopped;
import java.lang.management.ManagementFactory;
import java.util.TimeZone;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.mozilla.javascript.CompilerEnvirons;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ContextFactory;
import org.mozilla.javascript.ErrorReporter;
import org.mozilla.javascript.Evaluator;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Parser;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ast.BigIntLiteral;

/**
 * Where a project's scripts run: without Java's classes, files, network and environment, in UTC, and for each call with
 * limits of instructions, of memory that is asked for, and of the processor's time. What JavaScript's library does in one
 * call counts as few instructions: {@link Globals} bounds it.
 */
final class Sandbox extends ContextFactory {
    private static final long MOST_INSTRUCTIONS = 500_000_000L;
    private static final long MOST_BYTES = 1L << 30;
    private static final String UNKNOWN =
        "Classes, async functions, and three dots in calls and on the left of = are not known here.";
    private static final int LOOK_EVERY = 10_000;
    private static final long MOST_NANOSECONDS = 30_000_000_000L;
    private static final Pattern WIDE_INTEGER = Pattern.compile("[0-9a-fA-F_]n");
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private long instructions;
    private long bytesBefore;
    private long clockBefore;
    private long nanosecondsBefore;

    /** What runs in the sandbox. */
    interface Action {
        Object run(Context context);
    }

    /** A script that met a limit, which the message tells. No script can catch it. */
    private static final class Exhausted extends Error {
        private static final long serialVersionUID = 1L;

        Exhausted(String limit) {
            super(limit, null, false, false);
        }
    }

    /** Refuses texts that write a BigInt, wherever they are compiled: in a file, by eval, or by Function. */
    private static final class Reading extends Context {
        Reading(ContextFactory factory) {
            super(factory);
        }

        @Override
        protected Object compileImpl(Scriptable scope, String text, String name, int line, Object domain,
            boolean asFunction, Evaluator compiler, ErrorReporter reporter, Consumer<CompilerEnvirons> changes) {
            if (WIDE_INTEGER.matcher(text).find()) {
                CompilerEnvirons environs = new CompilerEnvirons();
                environs.initFromContext(this);
                new Parser(environs, reporter == null ? getErrorReporter() : reporter).parse(text, name, line)
                    .visit(node -> {
                        if (node instanceof BigIntLiteral) {
                            throw new EvaluatorException("BigInt is not known here", name, node.getLineno());
                        }
                        return true;
                    });
            }
            return super.compileImpl(scope, text, name, line, domain, asFunction, compiler, reporter, changes);
        }
    }

    @Override
    protected Context makeContext() {
        Context context = new Reading(this);
        context.setLanguageVersion(Context.VERSION_ECMASCRIPT);
        context.setClassShutter(name -> false);
        context.setTimeZone(TimeZone.getTimeZone("UTC"));
        context.setGenerateObserverCount(true);
        context.setInstructionObserverThreshold(LOOK_EVERY);
        return context;
    }

    @Override
    protected void observeInstructionCount(Context context, int count) {
        instructions += count;
        if (instructions > MOST_INSTRUCTIONS) {
            throw new Exhausted("takes too long: it was stopped after " + MOST_INSTRUCTIONS + " instructions");
        }
        if (THREADS.getCurrentThreadAllocatedBytes() - bytesBefore > MOST_BYTES) {
            throw new Exhausted("needs too much memory: it was stopped after " + MOST_BYTES + " bytes");
        }
        // The clock is cheap to read, and the processor's time is what a busy machine does not change.
        if (System.nanoTime() - clockBefore > MOST_NANOSECONDS
            && THREADS.getCurrentThreadCpuTime() - nanosecondsBefore > MOST_NANOSECONDS) {
            throw new Exhausted("takes too long: it was stopped after " + MOST_NANOSECONDS / 1_000_000_000L
                + " seconds of the processor");
        }
    }

    /** The result of a call of {@code name}, which errors show. Whatever goes wrong stops the query. */
    Object run(String name, Action action) {
        instructions = 0;
        bytesBefore = THREADS.getCurrentThreadAllocatedBytes();
        clockBefore = System.nanoTime();
        nanosecondsBefore = THREADS.getCurrentThreadCpuTime();
        try (Context context = enterContext()) {
            return action.run(context);
        } catch (QueryStopped error) {
            throw error.in(name);
        } catch (EvaluatorException error) {
            throw new QueryStopped(name + " is no JavaScript that can be run here: " + error.details() + " (line "
                + error.lineNumber() + "). " + UNKNOWN);
        } catch (RhinoException error) {
            throw new QueryStopped(name + " stopped: " + error.details() + " (line " + error.lineNumber() + ").");
        } catch (RuntimeException error) {
            throw new QueryStopped(name + " stopped: " + error + ".", 0, 0, error);
        } catch (Exhausted error) {
            throw new QueryStopped(name + " " + error.getMessage() + ".");
        } catch (StackOverflowError error) {
            throw new QueryStopped(name + " calls itself too deeply.");
        } catch (OutOfMemoryError error) {
            throw new QueryStopped(name + " needs more memory than the process has.");
        }
    }
}
