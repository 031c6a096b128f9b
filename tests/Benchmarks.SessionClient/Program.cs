using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>
/// Our side of the bench <c>session</c>: does what a line of JSON on standard input says, and answers with a line on standard output.
/// <c>{"call":"send","count":100,...}</c> is answered by <c>{"result":{...}}</c> or <c>{"error":"..."}</c>; one call at a time. The end of standard input
/// ends it. The peers in <c>tests/Benchmarks/Session/node</c> speak the same.
/// </summary>
internal static class Program
{
    // Waits on its own thread: whoever reads a console holds one, and on the one core that a client has the pool has no other.
    private static void Main()
    {
        var calls = new Calls();
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(AnswerAsync(calls, line).GetAwaiter().GetResult().ToJsonString());
        }
        calls.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private static async Task<JsonObject> AnswerAsync(Calls calls, string line)
    {
        try
        {
            return new() { ["result"] = await calls.RunAsync(JsonNode.Parse(line)!.AsObject()) };
        }
#pragma warning disable CA1031 // Whatever it is, the bench has to say it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return new() { ["error"] = $"{error.GetType().Name}: {error.Message}" };
        }
    }
}
