package fraudstream.query.javascript;

import com.sun.management.ThreadMXBean;
import fraudstream.query.values.QueryStopped;
import java.lang.management.ManagementFactory;
import java.util.TimeZone;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ContextFactory;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.RhinoException;

/**
 * Where a project's scripts run: without Java's classes, files, network and environment, in UTC, and for each call with
 * limits of instructions and of memory that is asked for. Regular expressions and other parts of JavaScript's library
 * count as one instruction each.
 */
final class Sandbox extends ContextFactory {
    private static final long MOST_INSTRUCTIONS = 500_000_000L;
    private static final long MOST_BYTES = 1L << 30;
    private static final String UNKNOWN =
        "Classes, async functions, and three dots in calls and on the left of = are not known here.";
    private static final int LOOK_EVERY = 100_000;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private long instructions;
    private long bytesBefore;

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

    @Override
    protected Context makeContext() {
        Context context = super.makeContext();
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
    }

    /** The result of a call of {@code name}, which errors show. Whatever goes wrong stops the query. */
    Object run(String name, Action action) {
        instructions = 0;
        bytesBefore = THREADS.getCurrentThreadAllocatedBytes();
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
