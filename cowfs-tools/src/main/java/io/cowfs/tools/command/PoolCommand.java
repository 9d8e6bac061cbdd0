package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command on one pool. */
public abstract class PoolCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  private final CommandRunner runner;

  PoolCommand(CommandRunner runner) {
    this.runner = runner;
  }

  /** The target as it was written. */
  public abstract String target();

  /**
   * What the command is for. Called by the client, once, before all else.
   *
   * @return what {@link #target}, which may be another text from then on, means
   */
  public Target locate(PathLookup paths) throws IOException {
    return paths.target(target());
  }

  /**
   * Replaces the operands, other than the target, that mean something to the client alone. Called
   * by the client, once, before {@link #arguments} and {@link #execute}.
   *
   * @param target what {@link #target} was found to mean
   */
  public void resolveOperands(Target target, PathLookup paths) throws IOException {}

  /**
   * What comes before a pool that nobody has open is opened for the command; called by the client.
   */
  public void beforeOpening(Target target) throws IOException {}

  /** Does the work. What it prints is the result; errors are thrown. */
  public abstract void execute(PoolSession session, Target target, PrintWriter out)
      throws IOException;

  /** Which of the verbs it is. */
  public PoolVerb verb() {
    return PoolVerb.find(spec.name()).orElseThrow();
  }

  /** The command line, as a daemon is to run it. */
  public List<String> arguments() {
    return spec.root().commandLine().getParseResult().originalArgs();
  }

  /** Where the command prints. */
  public PrintWriter out() {
    return spec.commandLine().getOut();
  }

  /** Where errors go that do not end the command. */
  public PrintWriter err() {
    return spec.commandLine().getErr();
  }

  /** Wrong usage that the parser cannot see. */
  ParameterException wrongUsage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  CommandRunner runner() {
    return runner;
  }

  @Override
  public Integer call() throws IOException {
    return runner.run(this);
  }
}
