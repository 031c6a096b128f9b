using System.Collections.Immutable;

namespace EdgeDm.Contracts;

/// <summary>One row of the registry.</summary>
/// <param name="Code">Stable number; never reused.</param>
/// <param name="Name">Stable name, for queries and tests.</param>
/// <param name="Mend">What a reader should do, one sentence. Appended to every message of this code.</param>
public sealed record ErrorCode(int Code, string Name, string Mend)
{
    private const int LongestMessage = 1024;

    /// <summary>Makes the error object: <paramref name="what"/> happened, then the registry's mend.</summary>
    public ErrorObject Error(
        string subsystem,
        string context,
        string what,
        params (string Name, string Value)[] parameters
    )
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in parameters)
        {
            values[name] = value;
        }
        values["name"] = Name;
        var message = $"{what} {Mend}";
        return new(
            subsystem,
            context,
            Code,
            message.Length > LongestMessage ? message[..LongestMessage] : message,
            values.ToImmutable()
        );
    }

    /// <summary>The same as an exception.</summary>
    public EdgeDmException Exception(
        string subsystem,
        string context,
        string what,
        params (string Name, string Value)[] parameters
    ) => new(Error(subsystem, context, what, parameters));
}

/// <summary>
/// Every error that EdgeDm tells. 1000: documents and requests. 2000: jobs. 3000: downloads and the package store.
/// 4000: manifests, signatures, trust. 5000: the host and its update engines. 6000: health after an update.
/// </summary>
public static class ErrorRegistry
{
    // Documents and requests.
    public static readonly ErrorCode InvalidJson = new(1000, "invalidJson", "Send well-formed JSON.");
    public static readonly ErrorCode InvalidValue = new(
        1001,
        "invalidValue",
        "Correct the value at the path named in context."
    );
    public static readonly ErrorCode MissingProperty = new(
        1002,
        "missingProperty",
        "Add the property named in context."
    );
    public static readonly ErrorCode UnknownProperty = new(
        1003,
        "unknownProperty",
        "Remove it or correct its spelling."
    );
    public static readonly ErrorCode UnknownGroup = new(
        1004,
        "unknownGroup",
        "Use a group that __deviceSchemas lists."
    );
    public static readonly ErrorCode UnknownMethod = new(
        1005,
        "unknownMethod",
        "Use a method that __deviceSchemas lists."
    );
    public static readonly ErrorCode InterfaceVersion = new(
        1006,
        "interfaceVersion",
        "Use a serviceInterfaceVersion with the major version that __deviceSchemas lists."
    );
    public static readonly ErrorCode TooLarge = new(1007, "tooLarge", "Send less; the limit is in the parameters.");
    public static readonly ErrorCode NotSupportedOnHost = new(
        1008,
        "notSupportedOnHost",
        "This host cannot do it; __deviceSchemas says why."
    );
    public static readonly ErrorCode DeniedByPolicy = new(
        1009,
        "deniedByPolicy",
        "Change the policy on the gateway if it should be allowed."
    );
    public static readonly ErrorCode DeadlineExceeded = new(
        1010,
        "deadlineExceeded",
        "Try again; if it repeats, read the module's log."
    );
    public static readonly ErrorCode Internal = new(
        1011,
        "internal",
        "Read the module's log at the time of the error and report it."
    );

    // Jobs.
    public static readonly ErrorCode JobNotFound = new(2000, "jobNotFound", "List the jobs with queryJobs.");
    public static readonly ErrorCode JobConflict = new(
        2001,
        "jobConflict",
        "Use another jobId, or send the same content again."
    );
    public static readonly ErrorCode JobNotCancellable = new(
        2002,
        "jobNotCancellable",
        "Wait until it ends; its result will tell."
    );
    public static readonly ErrorCode JobCancelled = new(2003, "jobCancelled", "Create a new job to do the work.");
    public static readonly ErrorCode JobTimedOut = new(
        2004,
        "jobTimedOut",
        "Allow more time, or find the step that did not end in the job's steps."
    );
    public static readonly ErrorCode TooManyJobs = new(2005, "tooManyJobs", "Wait for jobs to end or cancel some.");
    public static readonly ErrorCode UnknownJobType = new(2006, "unknownJobType", "Use one of the six job types.");
    public static readonly ErrorCode JobWithdrawn = new(
        2007,
        "jobWithdrawn",
        "Nothing, if that was meant; otherwise desire the group again."
    );

    // Downloads and the package store.
    public static readonly ErrorCode InvalidUrl = new(3000, "invalidUrl", "Give an absolute http or https address.");
    public static readonly ErrorCode MissingUrl = new(
        3001,
        "missingUrl",
        "Add an address for this file id to fileUrls."
    );
    public static readonly ErrorCode HttpStatus = new(
        3002,
        "httpStatus",
        "Make the file available at its address or give another address."
    );
    public static readonly ErrorCode ConnectionFailed = new(
        3003,
        "connectionFailed",
        "Check name resolution, routes and proxies from the gateway to the server."
    );
    public static readonly ErrorCode WrongSize = new(
        3004,
        "wrongSize",
        "Publish exactly the file that the manifest names."
    );
    public static readonly ErrorCode DigestMismatch = new(
        3005,
        "digestMismatch",
        "Publish exactly the file that the manifest names."
    );
    public static readonly ErrorCode NoSpace = new(
        3006,
        "noSpace",
        "Free space on the disk; bytes available and, where they are known, needed are in the parameters."
    );
    public static readonly ErrorCode TooManyRedirects = new(3007, "tooManyRedirects", "Give the final address.");
    public static readonly ErrorCode Stalled = new(3008, "stalled", "Check the server and the link.");
    public static readonly ErrorCode BundleMalformed = new(
        3009,
        "bundleMalformed",
        "Make the bundle with 'edgedm update create --bundle'."
    );
    public static readonly ErrorCode StoreDamaged = new(
        3010,
        "storeDamaged",
        "The file is fetched again; if it repeats, check the disk."
    );

    public static readonly ErrorCode InsecureRedirect = new(
        3011,
        "insecureRedirect",
        "Give an address whose redirects stay on https."
    );
    public static readonly ErrorCode BadAnswer = new(
        3012,
        "badAnswer",
        "Serve the file unchanged and its ranges as RFC 9110 says."
    );
    public static readonly ErrorCode UrlRefused = new(
        3013,
        "urlRefused",
        "Give addresses with fresh tokens; the job waits, keeps what it has fetched and goes on with them."
    );

    // Manifests, signatures, trust.
    public static readonly ErrorCode ManifestMalformed = new(
        4000,
        "manifestMalformed",
        "Make the manifest with 'edgedm update create'."
    );
    public static readonly ErrorCode ManifestVersion = new(4001, "manifestVersion", "Use manifestVersion 4 or 5.");
    public static readonly ErrorCode SignatureMalformed = new(
        4002,
        "signatureMalformed",
        "Sign the manifest with 'edgedm update create'."
    );
    public static readonly ErrorCode SignatureAlgorithm = new(
        4003,
        "signatureAlgorithm",
        "Sign with RS256; no other algorithm is accepted."
    );
    public static readonly ErrorCode UnknownRoot = new(
        4004,
        "unknownRoot",
        "Sign with a key whose root host-access.json trusts."
    );
    public static readonly ErrorCode SignatureInvalid = new(
        4005,
        "signatureInvalid",
        "Sign the manifest again; do not edit it afterwards."
    );
    public static readonly ErrorCode ManifestTampered = new(
        4006,
        "manifestTampered",
        "Deploy the manifest byte for byte as it was signed."
    );
    public static readonly ErrorCode NotCompatible = new(
        4007,
        "notCompatible",
        "Deploy an update whose compatibility names this host."
    );
    public static readonly ErrorCode NotNewer = new(
        4008,
        "notNewer",
        "Deploy a newer version, or list the pair in host-access.json to allow it."
    );
    public static readonly ErrorCode UnknownHandler = new(
        4009,
        "unknownHandler",
        "Use a handler that this host lists in GET /v1."
    );
    public static readonly ErrorCode ManifestTooOld = new(
        4010,
        "manifestTooOld",
        "Sign a manifest with a current createdDateTime."
    );
    public static readonly ErrorCode KeyRevoked = new(4011, "keyRevoked", "Sign with a key that is not revoked.");
    public static readonly ErrorCode RootListMalformed = new(
        4012,
        "rootListMalformed",
        "Make the list with 'edgedm roots create'."
    );
    public static readonly ErrorCode RootListNotSigned = new(
        4013,
        "rootListNotSigned",
        "Have the other root keys sign it with 'edgedm roots sign'."
    );
    public static readonly ErrorCode RootListNotNewer = new(
        4014,
        "rootListNotNewer",
        "Make a list with a higher version; 'edgedm roots create --from' does."
    );
    public static readonly ErrorCode RootListDamaged = new(
        4015,
        "rootListDamaged",
        "Mend the stored root list on the gateway, see docs/host-access.md."
    );

    // The host and its update engines.
    public static readonly ErrorCode HostAccessUnavailable = new(
        5000,
        "hostAccessUnavailable",
        "Check that the HostAccess sidecar runs and that its folder is mounted."
    );
    public static readonly ErrorCode HostBusy = new(5001, "hostBusy", "Wait until the running action ends.");
    public static readonly ErrorCode VerbDisabled = new(
        5002,
        "verbDisabled",
        "Enable the verb in host-access.json on the gateway."
    );
    public static readonly ErrorCode RateExceeded = new(
        5003,
        "rateExceeded",
        "Wait; the limit is in host-access.json."
    );
    public static readonly ErrorCode StagedFileMissing = new(
        5004,
        "stagedFileMissing",
        "The file is fetched again; if it repeats, check the package store."
    );
    public static readonly ErrorCode StepFailed = new(5005, "stepFailed", "Read the step's resultDetails and its log.");
    public static readonly ErrorCode StepResultMissing = new(
        5006,
        "stepResultMissing",
        "Let the script write its result file before it exits with 0."
    );
    public static readonly ErrorCode StepTimedOut = new(
        5007,
        "stepTimedOut",
        "Make the step faster or allow it more time in host-access.json."
    );
    public static readonly ErrorCode StepInterrupted = new(
        5008,
        "stepInterrupted",
        "The host went down during the step; deploy again with a new workflow id."
    );
    public static readonly ErrorCode CommandNotFound = new(
        5009,
        "commandNotFound",
        "Use a command id that was sent before."
    );
    public static readonly ErrorCode RebootNotSeen = new(
        5010,
        "rebootNotSeen",
        "The host did not come back with a new instance id; look at the host."
    );
    public static readonly ErrorCode CommandConflict = new(
        5011,
        "commandConflict",
        "Use another command id, or send the same content again."
    );
    public static readonly ErrorCode NetworkPresent = new(
        5012,
        "networkPresent",
        "Start HostAccess without a network, see SECURITY.md."
    );
    public static readonly ErrorCode HostApiVersion = new(
        5013,
        "hostApiVersion",
        "Deploy versions of DeviceManagement and HostAccess that are at most one interface version apart."
    );
    public static readonly ErrorCode FactoryResetFailed = new(
        5014,
        "factoryResetFailed",
        "Read the hook's output in HostAccess's log; what was erased by then stays erased."
    );
    public static readonly ErrorCode HostServiceUnavailable = new(
        5020,
        "hostServiceUnavailable",
        "Look at the host's D-Bus and the service named in context; waiting may help."
    );
    public static readonly ErrorCode HostServiceRefused = new(
        5021,
        "hostServiceRefused",
        "Read the host's journal of the service named in context."
    );
    public static readonly ErrorCode RebootInhibited = new(
        5022,
        "rebootInhibited",
        "Wait until the holder named in the parameters lets go, or set linux.overrideInhibitors in host-access.json."
    );
    public static readonly ErrorCode NoEffect = new(
        5023,
        "noEffect",
        "Look at the host: its service accepted the change and did not make it."
    );
    public static readonly ErrorCode ClockSynchronized = new(
        5024,
        "clockSynchronized",
        "Turn network time off before setting the clock."
    );

    public static readonly ErrorCode PackagesHeld = new(
        5030,
        "packagesHeld",
        "Release the packages with 'apt-mark unhold' on the host, or leave them out of the update."
    );
    public static readonly ErrorCode DowngradeRefused = new(
        5031,
        "downgradeRefused",
        "Publish a newer version, or set updates.allowAptDowngrades in host-access.json."
    );

    // Health after an update.
    public static readonly ErrorCode HealthTimedOut = new(
        6000,
        "healthTimedOut",
        "The old version runs again; find out which evidence was missing."
    );
    public static readonly ErrorCode RollbackUnsupported = new(
        6001,
        "rollbackUnsupported",
        "A step of this update cannot be undone; deploy a corrected update."
    );
    public static readonly ErrorCode RollbackFailed = new(
        6002,
        "rollbackFailed",
        "Look at the host; deploy a corrected update."
    );
    public static readonly ErrorCode EvidenceOfOtherInstance = new(
        6003,
        "evidenceOfOtherInstance",
        "Gather evidence about the host instance that GET /v1 names."
    );

    /// <summary>All rows, for documents and tests.</summary>
    public static ImmutableArray<ErrorCode> All { get; } =
    [
        InvalidJson,
        InvalidValue,
        MissingProperty,
        UnknownProperty,
        UnknownGroup,
        UnknownMethod,
        InterfaceVersion,
        TooLarge,
        NotSupportedOnHost,
        DeniedByPolicy,
        DeadlineExceeded,
        Internal,
        JobNotFound,
        JobConflict,
        JobNotCancellable,
        JobCancelled,
        JobTimedOut,
        TooManyJobs,
        UnknownJobType,
        JobWithdrawn,
        InvalidUrl,
        MissingUrl,
        HttpStatus,
        ConnectionFailed,
        WrongSize,
        DigestMismatch,
        NoSpace,
        TooManyRedirects,
        Stalled,
        BundleMalformed,
        StoreDamaged,
        InsecureRedirect,
        BadAnswer,
        UrlRefused,
        ManifestMalformed,
        ManifestVersion,
        SignatureMalformed,
        SignatureAlgorithm,
        UnknownRoot,
        SignatureInvalid,
        ManifestTampered,
        NotCompatible,
        NotNewer,
        UnknownHandler,
        ManifestTooOld,
        KeyRevoked,
        RootListMalformed,
        RootListNotSigned,
        RootListNotNewer,
        RootListDamaged,
        HostAccessUnavailable,
        HostBusy,
        VerbDisabled,
        RateExceeded,
        StagedFileMissing,
        StepFailed,
        StepResultMissing,
        StepTimedOut,
        StepInterrupted,
        CommandNotFound,
        RebootNotSeen,
        CommandConflict,
        NetworkPresent,
        HostApiVersion,
        FactoryResetFailed,
        HostServiceUnavailable,
        HostServiceRefused,
        RebootInhibited,
        NoEffect,
        ClockSynchronized,
        PackagesHeld,
        DowngradeRefused,
        HealthTimedOut,
        RollbackUnsupported,
        RollbackFailed,
        EvidenceOfOtherInstance,
    ];
}
