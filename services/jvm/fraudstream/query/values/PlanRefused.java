package fraudstream.query.values;

/** A plan that this engine cannot run. Lines and columns begin at 1; 0 where no place is known. */
public final class PlanRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public final int line;
    public final int column;

    public PlanRefused(String message, int line, int column) {
        super(message);
        this.line = line;
        this.column = column;
    }
}
