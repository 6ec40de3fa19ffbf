package fraudstream.query.live;

/** A state that cannot be used: a file is torn or missing, or it is another query's. */
public final class StateRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StateRefused(String message) {
        super(message);
    }
}
