using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts;

namespace EdgeDm.HostAccess.Updates.Handlers.Script;

/// <summary>What a script writes into its result file.</summary>
/// <param name="ResultCode">Above 0 is success.</param>
/// <param name="ExtendedResultCode">The maker's number.</param>
/// <param name="ResultDetails">The maker's words.</param>
internal sealed record ScriptResult(int ResultCode, int ExtendedResultCode = 0, string? ResultDetails = null)
{
    /// <summary>The result file cannot be parsed (INSTALL_FAILURE_PARSE_RESULT_FILE).</summary>
    public const int ResultUnreadable = 0x30500205;

    /// <summary>A failure that does not say which one (…_EXTENDEDRESULTCODE_ZERO).</summary>
    public const int FailureWithoutCode = 0x30500206;

    /// <summary>Most bytes of a result file.</summary>
    public const int MaxFileBytes = 64 * 1024;

    private const int LongestDetails = 1024;
    private const int ExitCodeBase = 0x30500000 | 0x1000;

    /// <summary>Judges a call by how its unit ended and by its result file.</summary>
    public static ActionResult Of(ScriptCall call, UnitState ended, TimeSpan timeLimit) =>
        ended.Phase switch
        {
            UnitPhase.Exited when ended.ExitCode == 0 => OfFile(call),
            UnitPhase.Exited => Failed(
                call,
                ErrorRegistry.StepFailed,
                (ExitCodeBase & ~0xFFF) | ((0x1000 + ended.ExitCode) & 0xFFFFF),
                ended.ExitCode == UnitState.ExecFailed
                    ? "could not be executed, or exited with 203"
                    : $"exited with {ended.ExitCode}",
                ("exitCode", $"{ended.ExitCode}")
            ),
            UnitPhase.TimedOut => Failed(
                call,
                ErrorRegistry.StepTimedOut,
                FailureWithoutCode,
                $"did not end within {timeLimit.TotalSeconds} s and was ended",
                ("seconds", $"{timeLimit.TotalSeconds}")
            ),
            _ => Failed(
                call,
                ErrorRegistry.StepInterrupted,
                FailureWithoutCode,
                "was interrupted; how far it came is not known"
            ),
        };

    private static ActionResult OfFile(ScriptCall call)
    {
        if (Read(call.ResultPath) is not { } result)
        {
            return Failed(
                call,
                ErrorRegistry.StepResultMissing,
                ResultUnreadable,
                "exited with 0 and left no readable result file"
            );
        }
        var details = result.ResultDetails ?? "";
        details = details.Length <= LongestDetails ? details : details[..LongestDetails];
        if (ResultCodes.IsSuccess(result.ResultCode))
        {
            return new(result.ResultCode, result.ExtendedResultCode, details);
        }
        var extended = result.ExtendedResultCode == 0 ? FailureWithoutCode : result.ExtendedResultCode;
        var failed = Failed(
            call,
            ErrorRegistry.StepFailed,
            extended,
            $"reported result code {result.ResultCode}",
            ("resultCode", $"{result.ResultCode}")
        );
        return failed with { ResultCode = result.ResultCode, Details = details };
    }

    private static ScriptResult? Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                return null;
            }
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ScriptResultJson.Default.ScriptResult);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private static ActionResult Failed(
        ScriptCall call,
        ErrorCode code,
        int extended,
        string what,
        params (string Name, string Value)[] parameters
    )
    {
        var word = ScriptCall.WordOf(call.Action);
        var sentence = $"Step {call.Work.Step.Index}: the script {what} in action {word}.";
        return new(
            ResultCodes.Failure,
            extended,
            sentence,
            code.Told(
                $"step {call.Work.Step.Index}",
                sentence,
                [
                    .. parameters,
                    ("step", call.Work.Step.Index.ToString()),
                    ("action", word),
                    ("extendedResultCode", $"{extended:X8}"),
                ]
            )
        );
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(ScriptResult))]
internal sealed partial class ScriptResultJson : JsonSerializerContext;
